import { join } from "node:path";
import type { ErrorCode, Outcome, Receipt, Report, RunRecord, Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { createTestGrader, type Taken } from "../../../shared/src/queue/contract/test-grader.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { createPlainGit, type PlainGit, type Snapshot } from "../code/plain-git.ts";
import { createPageClient } from "../pages/page-client.ts";
import { aboutOf, finishedWith, type RedisBroker, startRedisBroker } from "../support/redis-broker.ts";
import { push, RUN, runChallenge, runRecord, submitRun } from "../support/run-challenge.ts";
import { runCommand } from "../support/run-command.ts";
import { until } from "../support/until.ts";

const PRIVATE = "canary-of-the-private-input";
const VISIBLE = "seen-by-the-participant";
const SAMPLE = "canary-of-the-sample";
/** The output of a program in each stage; an outdated grader sends the private logs too. */
const LOGGED = runRecord([
  { stage: "build", stdout: VISIBLE, stderr: "" },
  { stage: "sample", stdout: SAMPLE, stderr: VISIBLE },
  { stage: "run", stdout: PRIVATE, stderr: PRIVATE, ended: "memory", exit_code: null },
]);

describe.skipIf(withoutService("redis"))("the record of a run", () => {
  let stage: RedisBroker;
  let git: PlainGit;
  let snapshot: Snapshot;
  let bob: string;
  let organizer: string;
  let grader: ReturnType<RedisBroker["attach"]>;
  beforeAll(async () => {
    [stage, git] = await Promise.all([
      startRedisBroker([
        runChallenge({
          run: { ...RUN, build: ["make"], limits: { wall_seconds: 100, build_seconds: 1000 } },
          rounds: [{ id: "1", parallel_limit: null }],
          visibility: { submissions: true },
        }),
        runChallenge({ id: "open", run: { ...RUN, command: "submission", logs: "all" } }),
      ]),
      createPlainGit(),
    ]);
    snapshot = await git.snapshot({ "main.py": "print()" });
    bob = await stage.test.addParticipant("bob");
    organizer = await addOrganizer(stage.test.records, "org", ["test"], new Date().toISOString());
    grader = createTestGrader(stage.queue, { grader: "g-1", challenges: () => ["test", "open"] });
  });
  afterAll(async () => {
    await grader?.stop();
    await Promise.all([stage?.close(), git?.close()]);
  });

  async function submit(options: Parameters<typeof submitRun>[2] = {}): Promise<Receipt> {
    const receipt = await submitRun(stage.test, snapshot, options);
    if (!receipt.code!.have) await push(git, receipt, snapshot, stage.test.key);
    return receipt;
  }
  const view = async (id: string, key: string | null = stage.test.key) =>
    (await (await stage.test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  const ended = (id: string) =>
    until(async () => {
      const now = await view(id);
      return (now.state === "graded" || now.state === "failed") && now;
    });
  const report = (taken: Taken, rest: Record<string, unknown>) =>
    stage.queue.report({ ...aboutOf(taken, "g-1"), ...rest } as Report);
  async function fail(taken: Taken, code: ErrorCode, run: RunRecord | null = runRecord()) {
    const outcome: Outcome = { ok: false, code, message: `${code}.`, evaluator_version: "1", run };
    await report(taken, { type: "finished", outcome, organiser_log: PRIVATE, seconds: 1 });
    taken.acknowledge();
  }
  async function grade(taken: Taken, score: number, run: RunRecord) {
    const finished = finishedWith(taken, "g-1", score);
    await stage.queue.report({ ...finished, outcome: { ...finished.outcome, run } });
    taken.acknowledge();
  }

  it("is asked for with the tree, and the command where participants name it", async () => {
    const { submission } = await submit();
    const first = await grader.next();
    expect(first.delivery.job).toMatchObject({
      submission: submission.id,
      input: { kind: "code", command: null },
      code: { key: expect.any(String), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    await grade(first, 0.5, runRecord());
    await submit({ challenge: "open", command: ["./main", "-v"] });
    const second = await grader.next();
    expect(second.delivery.job.input).toEqual({ kind: "code", command: ["./main", "-v"] });
    await grade(second, 0.5, runRecord());
  });

  it("is in the log that the organizer reads: stages, limits and the verdict of each attempt", async () => {
    const { submission } = await submit();
    await fail(await grader.next(), "code_memory", LOGGED);
    await ended(submission.id);
    const command = ["submission", "log", submission.id, "--data", join(stage.test.folder, "data")];
    const [, , ...lines] = (await runCommand(stage.test.folder, command)).stdout.split("\n");
    const used = "1.5 s, 1.2 s of processor time, 64.0 MB of memory, 1.0 kB of output";
    expect(lines).toEqual([
      "  verdict: code_memory: code_memory.",
      "  run: python3 main.py",
      `    Build: passed, ${used}`,
      `    Sample: passed, ${used}`,
      `    Private input: memory limit, ${used}`,
      "  limits in force, by bubblewrap 0.8.0 on g-1 (kernel 6.1.0):",
      "    memory of all processes: 2048 MB",
      `  ${PRIVATE}`,
      "",
    ]);
    const answer = await stage.test.fetch(`/api/v1/submissions/${submission.id}/attempts`, {
      key: organizer,
    });
    const { attempts } = (await answer.json()) as { attempts: object[] };
    const error = { code: "code_memory", message: "code_memory." };
    expect(attempts).toMatchObject([{ score: null, error, run: { stages: [{}, {}, { ended: "memory" }] } }]);
  });

  it("is preceded by its stages, which are named to the participant alone", async () => {
    const { submission } = await submit();
    const taken = await grader.next();
    const before = Date.now();
    await report(taken, { type: "started" });
    for (const name of ["build", "run"])
      await report(taken, { type: "progress", stage: name, percent: null, message: `${name}ing` });
    const path = `/submissions/${submission.id}`;
    const { events } = await until(async () => {
      const answer = await stage.test.fetch(`/api/v1${path}/events?after=0`);
      const body = (await answer.json()) as { events: { type: string; data: object }[] };
      return body.events.length === 5 && body;
    });
    expect(events.slice(3).map(({ data }) => data)).toEqual([
      { percent: null, message: "building", stage: "build" },
      { percent: null, message: "runing", stage: "run" },
    ]);
    const row = await stage.test.records.db
      .selectFrom("submissions")
      .select("deadline_at")
      .where("id", "=", submission.id)
      .executeTakeFirstOrThrow();
    // The build, the private run and the evaluator, and a minute.
    const seconds = (Date.parse(row.deadline_at!) - before) / 1000;
    expect(seconds).toBeGreaterThan(1000 + 100 + 50 + 59);
    expect(seconds).toBeLessThan(1000 + 100 + 50 + 90);
    const [own, other] = [createPageClient(stage.test), createPageClient(stage.test)];
    await own.signIn(stage.test.key);
    const page = await (await own.get(`${path}/live`)).text();
    expect(page).toMatch(/aria-current="step">Private input/);
    expect(page).toContain("Build");
    expect(await (await other.get(`${path}/live`)).text()).not.toContain("Private input");
    await grade(taken, 0.5, runRecord());
    await ended(submission.id);
  });

  it("is shown to the participant and the organizers, and what it printed on private input to no one", async () => {
    const { submission } = await submit();
    const { id } = submission;
    const client = await stage.test.connect();
    const live = new Promise<{ submission: Submission }>((resolve) =>
      client.socket.on("event", (event) => event.event.type === "graded" && resolve(event)),
    );
    await client.ask("watch", { id, after: 0 });
    await grade(await grader.next(), 0.75, LOGGED);
    const own = await ended(id);
    expect((await live).submission.run).toEqual(own.run);
    expect(own.run).toMatchObject({ sandbox: "bubblewrap 0.8.0", grader: "g-1", command: RUN.command });
    expect(own.run?.stages.map(({ stdout, stderr }) => [stdout, stderr])).toEqual([
      [VISIBLE, ""],
      [SAMPLE, VISIBLE],
      [null, null],
    ]);
    expect((await view(id, organizer)).run).toEqual(own.run);
    for (const key of [bob, null]) expect(await view(id, key)).toMatchObject({ score: 0.75, run: null });

    const pages = { own: createPageClient(stage.test), other: createPageClient(stage.test) };
    await pages.own.signIn(stage.test.key);
    await pages.other.signIn(bob);
    const page = await (await pages.own.get(`/submissions/${id}`)).text();
    expect(page).toContain(SAMPLE);
    expect(page).toContain("memory limit");
    const seen = [
      page,
      ...(await Promise.all(
        [`/api/v1/submissions/${id}/events?after=0`, `/api/v1/submissions/${id}`].flatMap((path) =>
          [stage.test.key, organizer].map(async (key) => (await stage.test.fetch(path, { key })).text()),
        ),
      )),
    ];
    const elsewhere = await Promise.all([
      ...[`/submissions/${id}`, `/submissions/${id}/live`, "/challenges/test", "/submissions"].map(
        async (path) => (await pages.other.get(path)).text(),
      ),
      ...["", "/submissions", "/leaderboard"].flatMap((path) =>
        [bob, null].map(async (key) =>
          (await stage.test.fetch(`/api/v1/challenges/test${path}`, { key })).text(),
        ),
      ),
      // Lists leave records out, whose logs may be large.
      ...["/api/v1/submissions", "/api/v1/submissions?challenge=test", "/metrics"].map(async (path) =>
        (await stage.test.fetch(path)).text(),
      ),
      ...[bob, null].map(async (key) =>
        (await stage.test.fetch(`/api/v1/submissions/${id}/events?after=0`, { key })).text(),
      ),
    ]);
    const events = await stage.test.records.db.selectFrom("events").select("data").execute();
    for (const text of [...elsewhere, JSON.stringify(events)])
      for (const word of [PRIVATE, SAMPLE, VISIBLE, "bubblewrap"]) expect(text).not.toContain(word);
    for (const text of [...seen, JSON.stringify(await live)]) expect(text).not.toContain(PRIVATE);
    const attempt = await stage.test.records.db
      .selectFrom("attempts")
      .select(["outcome", "run"])
      .where("submission", "=", id)
      .executeTakeFirstOrThrow();
    expect(JSON.stringify(attempt)).not.toContain(PRIVATE);
    expect(attempt.outcome).not.toContain("bubblewrap");
    client.socket.disconnect();
  });

  it("has all that the program printed where the challenge shows it, and nothing of the evaluator", async () => {
    const { submission } = await submit({ challenge: "open", command: ["./main"] });
    const evaluated = runRecord([{ stage: "evaluate", stdout: PRIVATE, stderr: PRIVATE }]);
    await grade(await grader.next(), 0.75, { ...LOGGED, stages: [...LOGGED.stages, ...evaluated.stages] });
    const { run } = await ended(submission.id);
    expect(run?.stages.map(({ stderr }) => stderr)).toEqual(["", VISIBLE, PRIVATE, null]);
  });

  it.each<[ErrorCode, "charged" | "returned"]>([
    ...(
      [
        "code_invalid",
        "build_failed",
        "sample_failed",
        "image_invalid",
        "sandbox_unavailable",
        "input_unreadable",
      ] as const
    ).map((code) => [code, "returned"] as [ErrorCode, "returned"]),
    ...(["code_crashed", "code_timeout", "code_cpu", "code_memory", "code_output", "rejected"] as const).map(
      (code) => [code, "charged"] as [ErrorCode, "charged"],
    ),
    ["output_missing", "charged"],
    ["output_invalid", "charged"],
    ["evaluator_crashed", "returned"],
  ])("of a submission that failed with %s has the slot %s", async (code, slot) => {
    const { submission } = await submit();
    await fail(await grader.next(), code);
    expect(await ended(submission.id)).toMatchObject({
      ...{ state: "failed", slot, error: { code, message: `${code}.` } },
      run: { stages: [{ stage: "run", wall_seconds: 1.5 }] },
    });
  });

  it("is null where the grader ran nothing", async () => {
    const { submission } = await submit();
    await fail(await grader.next(), "code_invalid", null);
    expect((await ended(submission.id)).run).toBeNull();
  });

  it("leaves the code to become a commit, as with any submission", async () => {
    const { submission } = await submit();
    await fail(await grader.next(), "code_memory");
    const { code } = await until(async () => {
      const now = await view(submission.id);
      return now.code?.tag ? now : null;
    });
    const refs = await git.must(["ls-remote", "--tags", code!.url!], { key: stage.test.key });
    expect(refs).toContain(`submission-${submission.id}`);
  });

  it("is asked for again, with the tree, when the queue lost its contents", async () => {
    const waiting = [await submit(), await submit()];
    const first = await grader.next();
    await report(first, { type: "started" });
    await until(async () => (await view(first.id)).state === "grading");
    await stage.flush();
    first.acknowledge();
    const seen = new Set<string>();
    while (seen.size < 2) {
      const taken = await grader.next();
      expect(taken.delivery.job).toMatchObject({
        input: { kind: "code" },
        code: { key: expect.any(String) },
      });
      seen.add(taken.id);
      await grade(taken, 0.5, runRecord());
    }
    expect(seen).toEqual(new Set(waiting.map(({ submission }) => submission.id)));
  });

  it("is replaced by a regrade's verdict, and kept when that never reached the private input", async () => {
    const all = [await submit(), await submit(), await submit()].map(({ submission }) => submission.id);
    for (const _ of all) await grade(await grader.next(), 0.5, runRecord([{ wall_seconds: 1 }]));
    for (const id of all) await ended(id);
    const { records } = stage.test;
    const { submissions } = await startRegrade(records, "test", new Date());
    for (let index = 0; index < submissions; index++) {
      const taken = await grader.next();
      expect(taken.delivery.job).toMatchObject({
        input: { kind: "code" },
        code: { key: expect.any(String) },
      });
      if (taken.id === all[0]) await grade(taken, 0.9, runRecord([{ wall_seconds: 2 }]));
      else if (taken.id === all[1]) await fail(taken, "code_timeout", runRecord([{ ended: "wall" }]));
      else await fail(taken, "build_failed", runRecord([{ stage: "build", exit_code: 1 }]));
    }
    await until(async () => (await view(all[0]!)).regraded);
    expect(await view(all[0]!)).toMatchObject({ score: 0.9, run: { stages: [{ wall_seconds: 2 }] } });
    expect(await view(all[1]!)).toMatchObject({
      ...{ state: "failed", error: { code: "code_timeout" }, run: { stages: [{ ended: "wall" }] } },
      slot: "charged",
    });
    expect(await view(all[2]!)).toMatchObject({ score: 0.5, run: { stages: [{ wall_seconds: 1 }] } });
  });

  it("is waited for with the reason, when no grader can run code", async () => {
    await grader.abort();
    const unable = createTestGrader(stage.queue, {
      ...{ grader: "g-2", challenges: () => [] },
      unable: () => ({ test: "bubblewrap is not installed" }),
    });
    const { submission } = await submit();
    await until(
      async () =>
        (await view(submission.id)).waiting === "no grader can run code: bubblewrap is not installed",
    );
    await unable.stop();
  });
});
