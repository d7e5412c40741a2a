import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { startRedis } from "../../../../scripts/services/redis.ts";
import type { Service } from "../../../../scripts/services/service.ts";
import { temporaryFolder } from "../../testing/challenge.ts";
import { makeEvaluator } from "../../testing/evaluation.ts";

const FACTORY = fileURLToPath(new URL("../../testing/job-factory-program.ts", import.meta.url));

describe.skipIf(withoutService("redis"))("a job factory", () => {
  let folder: string;
  let server: Service;
  let redis: Redis;
  let namespace: string;
  let tests = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-factory-"));
    server = await startRedis({ folder });
    redis = new Redis(server.url);
    redis.on("error", () => {});
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    namespace = `challenge-${++tests}`;
  });

  function startFactory(push = "LPUSH", style = "response_type"): ChildProcess {
    const factory = spawn(process.execPath, [FACTORY, server.url, namespace, push, style], {
      stdio: "inherit",
    });
    onTestFinished(async () => {
      if (factory.exitCode !== null || factory.signalCode !== null) return;
      factory.kill("SIGKILL");
      await once(factory, "exit");
    });
    return factory;
  }
  const evaluator = (more: object = {}, url = server.url) =>
    makeEvaluator({
      job_factory: { redis: url, namespace },
      functions: ["submit", "evaluate"],
      timeout_seconds: 20,
      ...more,
    });
  const leftovers = async () =>
    (await redis.keys(`${namespace}::*`)).filter((key) => !key.endsWith("::taken"));
  const taken = async () => Number(await redis.get(`${namespace}::taken`));
  const until = async (condition: () => Promise<boolean>) =>
    expect.poll(condition, { timeout: 10_000 }).toBe(true);

  it.each([
    ["LPUSH", "response_type"],
    ["RPUSH", "job_state"],
  ])("takes jobs from its list and answers on theirs, by %s and in words with %s", async (push, style) => {
    startFactory(push, style);
    const { run } = await evaluator();
    const runs = Array.from({ length: 20 }, (_, i) =>
      run({ id: `job-${i}`, function: "evaluate", input: { data: { x: i + 1 } } }),
    );
    for (const [i, { verdict, events }] of (await Promise.all(runs)).entries()) {
      const x = i + 1;
      expect(verdict).toMatchObject({
        kind: "result",
        result: { score: x * 2, score_secondary: -x, message: "done", data: { score: x * 2 } },
      });
      expect(events).toMatchObject([
        { type: "progress", percent: 25 },
        { type: "progress", percent: 50 },
        { type: "progress", percent: 75 },
        { type: "log", message: "asked for evaluate" },
      ]);
    }
    expect(await leftovers()).toEqual([]);
  });

  it("receives the path of a file, under the field names it knows", async () => {
    const { run } = await evaluator();
    const path = join(await temporaryFolder(), "predictions.csv");
    await writeFile(path, "a,1\n");
    const running = run({ input: { path }, round: 2 });
    const [, text] = (await redis.brpop(`${namespace}::enqueue_job`, 10)) as [string, string];
    const job = JSON.parse(text);
    expect(job).toEqual({
      broker_response_channel: expect.stringContaining("::"),
      function_name: "grade_submission",
      data: { file_key: path, submission_file_path: path, round: 2 },
      data_sequence_no: 0,
      extra_params: { api_key: "submission-job1", job_id: "job1", round: 2, dry_run: false },
    });
    const complete = { response_type: "CrowdAI.Event.Job.COMPLETE", data: { score: 0.5 } };
    await redis.lpush(job.broker_response_channel, JSON.stringify(complete));
    expect((await running).verdict).toMatchObject({ result: { score: 0.5 } });
  });

  it.each([
    ["rejects a submission", "fail", { kind: "rejected", message: "row 17: unknown id" }],
    ["talks rubbish", "rubbish", { kind: "failure", code: "evaluator_output" }],
    ["gives up", "give up", { kind: "failure", code: "evaluator_timeout" }],
  ])("that %s ends the job", async (_, action, verdict) => {
    startFactory();
    const { run } = await evaluator();
    expect((await run({ input: { data: { do: action, x: 1 } } })).verdict).toMatchObject(verdict);
    expect(await leftovers()).toEqual([]);
  });

  it("that withholds the score waits for the API, which cancels the job, and fails it after a stated time", async () => {
    startFactory();
    const withhold = { data: { do: "withhold", x: 1 } };
    const { run } = await evaluator({ score_timeout_seconds: 0.5 });
    expect((await run({ id: "late", input: withhold })).verdict).toMatchObject({
      code: "evaluator_timeout",
      detail: expect.stringContaining("none came over the API within"),
    });
    const graded = new AbortController();
    const job = { id: "graded", input: withhold, signal: graded.signal, onEvent: () => graded.abort() };
    const aborted = (await evaluator()).run(job);
    await expect(aborted).rejects.toThrow("aborted");
    expect(await leftovers()).toEqual([]);
  });

  it("that is not running, or stops during the job, fails the job after the timeout, and leaves no queue entry", async () => {
    const { run } = await evaluator({ timeout_seconds: 1.5 });
    const timeout = { kind: "failure", code: "evaluator_timeout" };
    expect((await run({ id: "unanswered", input: { data: { x: 1 } } })).verdict).toMatchObject(timeout);
    expect(await leftovers()).toEqual([]);
    startFactory();
    expect((await run({ id: "leaver", input: { data: { do: "leave", x: 1 } } })).verdict).toMatchObject(
      timeout,
    );
    expect(await leftovers()).toEqual([]);
  });

  it("takes queued jobs after a restart", async () => {
    const { run } = await evaluator();
    const factory = startFactory();
    const left = run({ id: "left", input: { data: { do: "leave", x: 1 } } });
    await once(factory, "exit");
    const waiting = run({ id: "waiting", input: { data: { x: 4 } } });
    startFactory();
    expect((await waiting).verdict).toMatchObject({ result: { score: 8 } });
    await redis.lpush(
      `${namespace}::response::left`,
      JSON.stringify({ job_state: "crowdai.job_state.ERROR", message: "lost" }),
    );
    expect((await left).verdict).toEqual({ kind: "rejected", message: "lost" });
  });

  it("evaluates a job once when the grader restarts in the meantime", async () => {
    startFactory();
    const stopping = new AbortController();
    const hold = `${namespace}::hold`;
    const first = (await evaluator()).run({ input: { data: { x: 2, hold } }, signal: stopping.signal });
    await until(async () => (await taken()) === 1);
    stopping.abort(new Error("the grader is stopping"));
    await expect(first).rejects.toThrow("the grader is stopping");
    const second = (await evaluator()).run({ input: { data: { x: 2, hold } } });
    await redis.set(hold, "1");
    expect((await second).verdict).toMatchObject({ result: { score: 4 } });
    expect(await taken()).toBe(1);
  });

  it("does not receive a job that was withdrawn in time", async () => {
    const stopping = new AbortController();
    const { run } = await evaluator();
    const running = run({ input: { data: { x: 2 } }, signal: stopping.signal });
    await until(async () => (await redis.llen(`${namespace}::enqueue_job`)) === 1);
    stopping.abort(new Error("cancelled"));
    await expect(running).rejects.toThrow("cancelled");
    expect(await leftovers()).toEqual([]);
  });

  it("receives its jobs again when Redis loses them, and its responses survive a kill of Redis", async () => {
    const { run } = await evaluator();
    const lost = run({ id: "lost", input: { data: { x: 3 } } });
    await until(async () => (await redis.llen(`${namespace}::enqueue_job`)) === 1);
    await redis.flushall();
    await until(async () => (await redis.llen(`${namespace}::enqueue_job`)) === 1);
    await server.kill("SIGKILL");
    await server.restart();
    startFactory();
    expect((await lost).verdict).toMatchObject({ result: { score: 6 } });
  });

  it("with an invalid Redis URL fails the job immediately", async () => {
    const { run } = await evaluator({}, "redis://one,two");
    expect((await run()).verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
  });

  it("whose Redis is unreachable fails the job after the timeout, with details for the organizer", async () => {
    const { run } = await evaluator({ timeout_seconds: 1 }, "redis://127.0.0.1:1");
    const { verdict } = await run({ input: { data: { x: 3 } } });
    expect(verdict).toMatchObject({
      kind: "failure",
      code: "evaluator_timeout",
      detail: expect.stringContaining("Redis"),
    });
  });
});
