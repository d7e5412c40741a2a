import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Leaderboard } from "@crowdai/shared";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { startRedis } from "../../../scripts/services/redis.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { startBroker } from "../support/test-broker.ts";
import { openChallenge } from "./legacy-challenge.ts";

const GUIDE = fileURLToPath(new URL("../../../docs/from-crowdai.md", import.meta.url));
const FACTORY = fileURLToPath(new URL("../../../grader/src/testing/job-factory-program.ts", import.meta.url));

/** Written like typical crowdAI evaluators, including prints. */
const EVALUATOR = `
import csv

class CrowdAIEvaluator:
    def __init__(self, answer_file_path, round=1):
        with open(answer_file_path) as file:
            self.answers = dict(csv.reader(file))

    def _evaluate(self, client_payload, round_indicator=1, _context={}):
        submission_file_path = client_payload["submission_file_path"]
        print("evaluating", submission_file_path)
        assert submission_file_path.endswith(".csv")
        with open(submission_file_path) as file:
            given = dict(csv.reader(file))
        if set(given) != set(self.answers):
            raise Exception("The ids are not those of the test set")
        right = sum(given[key] == self.answers[key] for key in given)
        return {"score": right / len(given), "secondary_score": float(len(given))}
`;

describe("challenges of the first crowdAI, served to its client", () => {
  it("an evaluator class, with the challenge.json of the guide", async () => {
    const [, text] = /```json\n(.*?)```/s.exec(await readFile(GUIDE, "utf8")) ?? [];
    const test = await startBroker({ challenges: [] });
    onTestFinished(() => test.close());
    const folder = join(test.folder, "challenges/MyChallenge2018");
    await mkdir(join(folder, "private"), { recursive: true });
    await writeFile(join(folder, "evaluator.py"), EVALUATOR);
    await writeFile(join(folder, "private/answers.csv"), "a,1\nb,2\n");
    await writeFile(join(folder, "challenge.json"), text as string);
    await expect
      .poll(async () => (await test.fetch("/api/v1/challenges/MyChallenge2018")).status, { timeout: 10_000 })
      .toBe(200);

    const challenge = await openChallenge(test.broker.url, test.key, "MyChallenge2018");
    expect((await challenge.submit("a,1\nb,3\n")).answer).toMatchObject([
      { data: { score: 0.5, score_secondary: 2, secondary_score: 2 } },
    ]);
    expect((await challenge.submit("a,1\nc,3\n")).answer).toMatchObject([
      { message: "The ids are not those of the test set", data: { score: null } },
    ]);
    const board = (await (
      await test.fetch("/api/v1/challenges/MyChallenge2018/leaderboard")
    ).json()) as Leaderboard;
    expect(board.rows).toMatchObject([{ participant: "ada", score: 0.5, score_secondary: 2 }]);
  });

  it.skipIf(withoutService("redis"))("a job factory, for submissions and evaluations", async () => {
    const folder = await mkdtemp(join(tmpdir(), "crowdai-legacy-"));
    const redis = await startRedis({ folder });
    const factory: ChildProcess = spawn(
      process.execPath,
      [FACTORY, redis.url, "MyChallenge2017", "LPUSH", "job_state"],
      { stdio: "inherit" },
    );
    onTestFinished(async () => {
      factory.kill("SIGKILL");
      await once(factory, "exit");
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const test = await startBroker({
      challenges: [
        {
          evaluator: {
            job_factory: { redis: redis.url, namespace: "MyChallenge2017" },
            functions: ["submit", "evaluate"],
            timeout_seconds: 20,
          },
        },
      ],
    });
    onTestFinished(() => test.close());

    const challenge = await openChallenge(test.broker.url, test.key);
    const { answer, progress } = await challenge.call("submit", [{ x: 3 }]);
    expect(answer).toMatchObject([{ message: "done", data: { score: 6, secondary_score: -3 } }]);
    expect(progress.map(({ state }) => state)).toContain("INFO");
    const data = Array.from({ length: 10 }, (_, x) => ({ x: x + 1 }));
    const evaluated = await challenge.call("evaluate", data, { parallel: true });
    expect(evaluated.answer.map((entry) => entry.data.score)).toEqual(data.map(({ x }) => x * 2));
    expect((await challenge.call("submit", [{ x: 1, do: "fail" }])).answer).toMatchObject([
      { message: "row 17: unknown id" },
    ]);
  });

  it.skipIf(withoutService("redis"))("a job factory that posts its scores to the API", async () => {
    const folder = await mkdtemp(join(tmpdir(), "crowdai-legacy-"));
    const redis = await startRedis({ folder });
    const list = new Redis(redis.url);
    onTestFinished(async () => {
      list.disconnect();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const evaluator = { job_factory: { redis: redis.url, namespace: "Withheld" }, timeout_seconds: 20 };
    const test = await startBroker({ challenges: [{ evaluator }] });
    onTestFinished(() => test.close());
    const organizer = await addOrganizer(test.records, "owner", ["test"], new Date().toISOString());
    const headers = { authorization: `Token token=${organizer}`, "content-type": "application/json" };
    const send = (method: string, path: string, body?: object) =>
      fetch(`${test.broker.url}/api/external_graders${path}`, {
        ...{ method, headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const challenge = await openChallenge(test.broker.url, test.key);

    // As the factories of 2017: identify the participant, create a submission, grade it, and complete without
    // a score.
    const factory = async (completeFirst: boolean) => {
      const job = JSON.parse((await list.brpop("Withheld::enqueue_job", 20))![1]);
      const { api_key } = job.extra_params;
      const complete = () =>
        list.lpush(job.broker_response_channel, `{"job_state":"crowdai.job_state.COMPLETE","data":{}}`);
      if (completeFirst) await complete();
      expect(await (await send("GET", `/${api_key}`)).json()).toMatchObject({
        participant_id: expect.any(Number),
      });
      const about = { api_key, challenge_client_name: "test" };
      const created = await send("POST", "", { ...about, grading_status: "submitted" });
      expect(created.status).toBe(202);
      const { submission_id } = (await created.json()) as { submission_id: number };
      const media = {
        media_large: "abc12345678",
        media_thumbnail: "abc12345678",
        media_content_type: "video/youtube",
      };
      const graded = { grading_status: "graded", score: 0.75, ...media };
      expect((await send("PATCH", `/${submission_id}`, graded)).status).toBe(202);
      if (!completeFirst) await complete();
    };
    for (const completeFirst of [true, false]) {
      const [{ answer }] = await Promise.all([
        challenge.call("submit", [{ x: completeFirst ? 1 : 2 }]),
        factory(completeFirst),
      ]);
      expect(answer).toMatchObject([{ data: { score: 0.75 } }]);
    }

    // Media that the answer itself names reach the board too.
    const answering = async () => {
      const job = JSON.parse((await list.brpop("Withheld::enqueue_job", 20))![1]);
      const data = {
        score: 0.9,
        media_large: "xyz12345678",
        media_thumbnail: "xyz12345678",
        media_content_type: "video/youtube",
      };
      await list.lpush(
        job.broker_response_channel,
        JSON.stringify({ job_state: "crowdai.job_state.COMPLETE", data }),
      );
    };
    await Promise.all([challenge.call("submit", [{ x: 3 }]), answering()]);
    const board = (await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard;
    expect(board.rows).toMatchObject([
      { score: 0.9, media: { large: expect.stringContaining("xyz12345678"), type: "video/youtube" } },
    ]);
  });
});
