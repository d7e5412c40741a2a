import { join } from "node:path";
import { MAX_MESSAGE_BYTES } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openObjects } from "../../src/startup/open-objects.ts";
import { runChallenge } from "../support/run-challenge.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { ADMIN } from "../webapp-api/webapp-api-client.ts";
import { type RemoteStage, startRemote } from "./webapp-proxy.ts";

const UUID = "7a1c9b52-0d63-4f7e-9a55-3a1de2c0f4b7";
const FILE = `submission_files/challenge_1/${UUID}_predictions.csv`;

describe("a file of the webapp's web form", () => {
  let test: RemoteStage;
  let objects: ObjectStore;
  let key: string;

  beforeAll(async () => {
    test = await startRemote();
    key = await test.webapp.addParticipant("grace");
    ({ objects } = await openObjects(
      { s3: null, dataFolder: join(test.broker.folder, "data") },
      () => test.broker.broker.url,
    ));
    await objects.put(FILE, Buffer.from("0.75"));
  });
  afterAll(async () => {
    await objects?.close();
    await test?.close();
  });

  /** Creates a submission at the webapp, as its form does, and has the webapp's job call the broker. */
  async function uploaded(): Promise<number> {
    const { body } = await test.webapp.create({ api_key: key });
    return body.submission_id;
  }
  async function enqueue(number: number | string, changed: Record<string, string> = {}) {
    const answer = await fetch(`${test.broker.broker.url}/enqueue_grading_job`, {
      method: "POST",
      body: new URLSearchParams({
        response_channel: "na",
        session_token: "na",
        api_key: key,
        grader_id: "CLEFChallenges",
        challenge_client_name: "test",
        function_name: "grade_submission",
        "data[][file_key]": FILE,
        "data[][submission_id]": String(number),
        "data[][participant_id]": "1",
        "data[][challenge_round_id]": "1",
        dry_run: "false",
        parallel: "false",
        enqueue_only: "true",
        grader_api_key: ADMIN,
        ...changed,
      }),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as { response_type: string; message: string },
    };
  }
  const here = () => test.broker.records.db.selectFrom("submissions").selectAll().execute();
  const outbox = () => test.broker.records.db.selectFrom("webapp_submissions").selectAll().execute();

  it("with a body that is too large is refused as that", async () => {
    const { status, body } = await enqueue(1, { response_channel: "a".repeat(MAX_MESSAGE_BYTES) });
    expect([status, body]).toEqual([
      413,
      { error: expect.objectContaining({ code: "message_too_large", fault: "you" }) },
    ]);
  });

  it("is graded once, however often it is sent, and its grade reaches the webapp's submission", async () => {
    const number = await uploaded();
    const answers = await Promise.all([enqueue(number), enqueue(number), enqueue(number)]);
    for (const answer of [...answers, await enqueue(number)])
      expect(answer).toEqual({
        status: 200,
        body: {
          response_type: "CrowdAI.Event.SUCCESS",
          message: "Successfully enqueued 1 Job",
          data: {},
        },
      });
    const graded = await until(async () => {
      const found = await test.webapp.read(number);
      return found.grading_status_cd === "graded" && found;
    });
    expect(graded).toMatchObject({ score: 0.75, participant_name: "grace" });
    expect(await test.webapp.count()).toBe(1);
    expect(await here()).toMatchObject([
      { state: "graded", score: 0.75, input_kind: "file", input_name: "predictions.csv", input_size: 4 },
    ]);
  });

  it("requires the webapp's token, and an upload of the form", async () => {
    const [number, before] = [await uploaded(), (await here()).length];
    for (const [changed, status] of [
      [{ grader_api_key: "wrong" }, 403],
      [{ grader_api_key: "" }, 403],
      [{ grader_api_key: key }, 403],
      [{ api_key: "0".repeat(32) }, 401],
      [{ challenge_client_name: "nothing" }, 404],
      [{ function_name: "evaluate" }, 400],
      [{ dry_run: "true" }, 400],
      [{ "data[][file_key]": "submissions/test/aaaaaaaaaaaaaaaa/input" }, 400],
      [{ "data[][file_key]": "https://example.org/submission_files/x" }, 400],
      [{ "data[][file_key]": "submission_files/../instance.json" }, 404],
      [{ "data[][file_key]": "submission_files/challenge_1/nothing" }, 404],
      [{ "data[][submission_id]": "-1" }, 400],
      [{ "data[a][b]": "1" }, 400],
    ] as [Record<string, string>, number][]) {
      const answer = await enqueue(number, changed);
      expect([changed, answer.status, answer.body.response_type]).toEqual([
        changed,
        status,
        "CrowdAI.Event.ERROR",
      ]);
      expect(answer.body.message).not.toBe("");
      expect(answer.body.message).not.toContain(ADMIN);
    }
    expect(await here()).toHaveLength(before);
    expect(await outbox()).toHaveLength(before);
  });

  it("is refused by a challenge that runs code", async () => {
    await writeChallenge(join(test.broker.folder, "challenges"), runChallenge({ id: "code" }));
    const answer = await until(async () => {
      const { status, body } = await enqueue(99, { challenge_client_name: "code" });
      return status !== 404 && { status, message: body.message };
    });
    expect(answer).toEqual({
      status: 422,
      message: "code runs submitted code; it accepts code submissions, not files.",
    });
  });

  it("is refused for a submission that this broker opened itself", async () => {
    const client = await test.broker.connect({ key });
    const { submission } = await client.submit({ input: { kind: "inline", data: { score: 0.5 } } });
    const row = await until(async () =>
      (await outbox()).find((one) => one.submission === submission.id && one.number !== null),
    );
    expect((await enqueue(row.number as number)).status).toBe(409);
  });
});

it("is not accepted by a broker that is the webapp itself", async () => {
  const test = await startRemote();
  try {
    const answer = await fetch(`${test.webapp.broker.url}/enqueue_grading_job`, {
      method: "POST",
      body: new URLSearchParams({ grader_api_key: ADMIN }),
    });
    expect(answer.status).toBe(404);
  } finally {
    await test.close();
  }
});
