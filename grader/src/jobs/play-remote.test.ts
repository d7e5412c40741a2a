import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createEmbeddedStepChannel, type StepChannel } from "@crowdai/shared/step-channel";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../testing/challenge.ts";
import { makeEnvironmentChallenge, WALK } from "../testing/environments.ts";
import { runSessionGrader } from "../testing/sessions.ts";

/** A challenge for remote agents alone, whose environment is changed in a few lines. */
const walk = (environment: object = {}, change: (code: string) => string = (code) => code) =>
  makeEnvironmentChallenge({
    environment: { agents: ["remote"], ...environment },
    files: { "env.py": change(WALK) },
  });

/** Does something in the nth step of a session's first environment, or in that of every one. */
const atStep =
  (n: number, what: string, { flag }: { flag?: string } = {}) =>
  (code: string) =>
    code
      .replace(
        "        self.steps += 1\n",
        `        self.steps += 1
        if self.steps == ${n}${flag ? ` and not os.path.exists(${JSON.stringify(flag)})` : ""}:
            ${flag ? `open(${JSON.stringify(flag)}, "w").close(); ` : ""}${what}
`,
      )
      .replace("import random", "import os, random, sys, time");

describe("a session of a remote agent", () => {
  it("is played over the step channel, and graded when it is submitted", async () => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk());
    expect(await session.ask({ type: "hello" })).toMatchObject({ episodes: 3, limits: { steps: 100 } });
    for (let i = 0; i < 3; i++) expect(await session.episode()).toMatchObject({ terminated: true });
    expect(await session.ask({ type: "reset" })).toEqual({ type: "end" });
    expect(await session.ask({ type: "submit" })).toEqual({ type: "end" });
    const { outcome, log } = await session.finished();
    expect(outcome, log).toMatchObject({
      ok: true,
      environment: { agent: "remote", grader: "grader-1", resumed: 0 },
      artifacts: [{ name: "steps.ndjson.gz" }],
    });
    const stages = grader.reports.filter(({ type }) => type === "progress");
    expect(stages[0]).toMatchObject({ stage: "play", percent: null });
    const journal = await grader.steps.journal(session.submission);
    expect(journal.pop()).toEqual({ type: "submit" });
    expect(journal).toHaveLength(3 + (outcome as { environment: { steps: number } }).environment.steps);
  });

  it("shows no rewards where they are hidden, and counts them", async () => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk({ reward_visible: false }), { seeds: [1] });
    expect(await session.episode()).toMatchObject({ terminated: true, reward: 0 });
    await session.ask({ type: "submit" });
    const { outcome, log } = await session.finished();
    expect((outcome as { score: number }).score, log).toBeGreaterThan(0);
    const messages = grader.reports.map((report) => (report.type === "progress" ? report.message : null));
    expect(messages.find((message) => message?.startsWith("Episode"))).toMatch(/^Episode 1 of 1, step \d+$/);
  });

  it("has a video where its environment draws, each step once though the environment crashed", async () => {
    const grader = await runSessionGrader();
    const flag = join(await temporaryFolder(), "crashed");
    const draws = (code: string) =>
      atStep(2, "sys.exit(3)", { flag })(code).replace(
        "    def reset(",
        `    render_mode = "rgb_array"
    metadata = {"render_fps": 10}
    def render(self): return [[[self.place * 40 % 256, 0, 0]] * 4] * 4
    def reset(`,
      );
    const session = await grader.open(await walk({}, draws), { seeds: [1] });
    await session.episode();
    await session.ask({ type: "submit" });
    const { outcome, log } = await session.finished();
    expect(outcome, log).toMatchObject({
      ok: true,
      media: { name: "video.mkv" },
      environment: { resumed: 1 },
    });
    if (!outcome.ok) return;
    let video = "";
    for await (const chunk of await grader.objects.get(outcome.media!.key))
      video += Buffer.from(chunk).toString("latin1");
    const frames = video.split("\x89PNG").length - 1;
    expect(frames).toBe(1 + outcome.environment!.steps);
  });

  it("continues on another grader where it was", async () => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk());
    await session.episode();
    const first = await session.ask({ type: "reset" });
    const step = await session.ask({ type: "step", episode: 2, n: 1, action: 0 });
    grader.stop.abort();
    await grader.stopped;
    grader.start();
    expect(await session.ask({ type: "step", episode: 2, n: 1, action: 0 })).toEqual(step);
    expect(await session.ask({ type: "reset", episode: 2 })).toMatchObject({ code: "episode_running" });
    expect(first).toMatchObject({ episode: 2 });
    while (!((await session.ask({ type: "step", action: 1 })) as { terminated: boolean }).terminated);
    await session.episode();
    await session.ask({ type: "submit" });
    const { outcome, log } = await session.finished();
    expect(outcome, log).toMatchObject({ ok: true, environment: { grader: "grader-2", resumed: 1 } });
  });

  it.each<[string, number[], object]>([
    ["is graded", [1], { ok: true }],
    [
      "fails, if the submit came early,",
      [1, 2],
      {
        ...{ ok: false, code: "agent_protocol", charge: true },
        message: "The agent submitted after 1 of 2 episodes (episode 1, step 4).",
      },
    ],
  ])("%s without a wait when its result was lost after the submit", async (_, seeds, expected) => {
    const grader = await runSessionGrader();
    const { report } = grader.queue;
    let isLost = false;
    grader.queue.report = async (sent) => {
      if (sent.type !== "finished" || isLost) return await report(sent);
      isLost = true;
      throw new Error("The grader was lost.");
    };
    const session = await grader.open(await walk(), { seeds });
    await session.episode();
    expect(await session.ask({ type: "submit", early: true })).toEqual({ type: "end" });
    const { outcome, log } = await session.finished();
    expect(isLost).toBe(true);
    expect(outcome, log).toMatchObject({ ...expected, environment: { resumed: 1 } });
  });

  it("is taken over before its journal is read, so that an earlier grader adds nothing to it", async () => {
    const channel = await createEmbeddedStepChannel({ folder: await temporaryFolder() });
    const calls: string[] = [];
    const steps: StepChannel = {
      ...channel,
      serve: async (id, answer) => {
        const serving = await channel.serve(id, answer);
        calls.push("serving");
        return serving;
      },
      journal: (id) => {
        calls.push("journal");
        return channel.journal(id);
      },
    };
    const grader = await runSessionGrader({ steps });
    const session = await grader.open(await walk({ limits: { idle_seconds: 0.1 } }));
    expect((await session.finished()).outcome).toMatchObject({ code: "session_abandoned" });
    expect(calls).toEqual(["serving", "journal"]);
    await channel.close();
  });

  it("is taken back from a grader that served it after its job had been given away", async () => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk());
    await session.episode();
    const late = await grader.steps.serve(session.submission, () => new Promise(() => {}));
    const answer = session.ask({ type: "reset", episode: 2 });
    void late[Symbol.asyncDispose]();
    expect(await answer).toMatchObject({ episode: 2 });
    while (!((await session.ask({ type: "step", action: 1 })) as { terminated: boolean }).terminated);
    await session.episode();
    await session.ask({ type: "submit" });
    const { outcome, log } = await session.finished();
    expect(outcome, log).toMatchObject({ ok: true, environment: { resumed: 1 } });
    expect(outcome.artifacts).toMatchObject([{ name: "steps.ndjson.gz" }]);
  });

  it("is lost with its grader when the environment cannot repeat its steps", async () => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk({ deterministic: false }));
    await session.ask({ type: "reset" });
    grader.stop.abort();
    await grader.stopped;
    grader.start();
    const { outcome } = await session.finished();
    expect(outcome).toMatchObject({ ok: false, code: "session_lost" });
  });

  it.each<[string, object, string[], object]>([
    [
      "is silent after a reset",
      { idle_seconds: 0.3 },
      ["reset"],
      { code: "session_abandoned", charge: true },
    ],
    ["never comes", { idle_seconds: 0.1 }, [], { code: "session_abandoned", charge: false }],
    ["needs too long", { episode_seconds: 0.3 }, ["reset"], { code: "agent_timeout", charge: true }],
  ])("ends when the agent %s", async (_, limits, requests, expected) => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk({ limits }));
    for (const type of requests) await session.ask({ type });
    const { outcome } = await session.finished();
    expect(outcome).toMatchObject({ ok: false, ...expected });
    expect(outcome.artifacts).toMatchObject([{ name: "steps.ndjson.gz" }]);
  });

  it("is graded when all episodes are finished, even if the agent does not submit", async () => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk({ limits: { idle_seconds: 0.5 } }), { seeds: [1] });
    await session.episode();
    expect((await session.finished()).outcome).toMatchObject({ ok: true });
  });

  it("is left to another grader by one without a step channel", async () => {
    const grader = await runSessionGrader();
    const other = await runSessionGrader({ steps: undefined });
    const session = await other.open(await walk());
    expect(await other.report(session.submission, "released")).toMatchObject({
      reason: expect.stringContaining("remote agents"),
    });
    grader.stop.abort();
  });
});

describe("an environment that fails", () => {
  it.each<[string, string]>([
    ["exits", "sys.exit(3)"],
    ["raises", "raise ValueError('broken')"],
    ["returns NaN", "self.place = float('nan')"],
  ])("once, because it %s, is started again, and the agent notices nothing", async (_, what) => {
    const grader = await runSessionGrader();
    const flag = join(await temporaryFolder(), "failed");
    const challenge = await walk({}, atStep(2, what, { flag }));
    const session = await grader.open(challenge, { seeds: [1] });
    await session.ask({ type: "reset" });
    for (const n of [1, 2]) expect(await session.ask({ type: "step", action: n % 2 })).toMatchObject({ n });
    while (!((await session.ask({ type: "step", action: 1 })) as { terminated: boolean }).terminated);
    await session.ask({ type: "submit" });
    const { outcome, log } = await session.finished();
    expect(outcome, log).toMatchObject({ ok: true, environment: { resumed: 1 } });
  });

  it.each<[string, string, object, object]>([
    [
      "exits",
      "sys.exit(3)",
      {},
      { code: "env_crashed", message: "The environment crashed (episode 1, step 2): it exited." },
    ],
    ["hangs", "time.sleep(60)", { env_step_seconds: 0.3 }, { code: "env_timeout" }],
    [
      "returns an infinite reward",
      "return [0, 0], float('inf'), False, False, {}",
      {},
      {
        code: "env_output",
        message: "The environment printed something invalid (episode 1, step 2): NaN or Infinity.",
      },
    ],
  ])("always, because it %s, ends the session without a charge", async (_, what, limits, expected) => {
    const grader = await runSessionGrader();
    const session = await grader.open(await walk({ limits }, atStep(2, what)));
    await session.ask({ type: "reset" });
    await session.ask({ type: "step", action: 1 });
    expect(await session.ask({ type: "step", action: 0 })).toMatchObject({ type: "error" });
    const { outcome, log } = await session.finished();
    expect(outcome, log).toMatchObject({ ok: false, environment: { resumed: 1 }, ...expected });
    expect(outcome).not.toHaveProperty("charge");
  });

  it("is not repeatable when it answers otherwise the second time", async () => {
    const grader = await runSessionGrader();
    const flag = join(await temporaryFolder(), "failed");
    const challenge = await walk({}, (code) =>
      atStep(2, "sys.exit(3)", { flag })(code).replace(
        "self.place = random.Random(seed).choice([-1, 0, 1])",
        `self.place = 1 if os.path.exists(${JSON.stringify(flag)}) else 0`,
      ),
    );
    const session = await grader.open(challenge);
    await session.ask({ type: "reset" });
    await session.ask({ type: "step", action: 1 });
    await session.ask({ type: "step", action: 0 });
    expect((await session.finished()).outcome).toMatchObject({
      code: "env_not_repeatable",
      message:
        "The environment is not repeatable (reset of episode 1): the same seed and actions gave another observation.",
    });
  });

  it("before the first reset is named too", async () => {
    const grader = await runSessionGrader();
    const challenge = await walk({}, () => "raise ImportError('no simulator')\n");
    const session = await grader.open(challenge);
    const { outcome, log } = await session.finished();
    expect(outcome).toMatchObject({
      ...{ ok: false, code: "env_crashed" },
      message: "The environment crashed (at its start): it exited.",
    });
    expect(log).toContain("no simulator");
  });
});

describe("a stored step log", () => {
  it("is done again, and gives the same score", async () => {
    const grader = await runSessionGrader();
    const challenge = await walk();
    const session = await grader.open(challenge);
    for (let i = 0; i < 3; i++) await session.episode();
    await session.ask({ type: "submit" });
    const { outcome } = await session.finished();
    const { score } = outcome as { score: number };
    const { key, size, sha256 } = outcome.artifacts![0]!;
    const again = await grader.open(challenge, { input: { kind: "session", replay: { key, size, sha256 } } });
    expect((await again.finished()).outcome).toMatchObject({
      ok: true,
      score,
      environment: { agent: "replay" },
    });

    await writeFile(
      join(challenge.dir, "env.py"),
      WALK.replace("abs(self.place) >= 3", "abs(self.place) >= 2"),
    );
    const other = await grader.open(challenge, { input: { kind: "session", replay: { key, size, sha256 } } });
    expect((await other.finished()).outcome).toMatchObject({
      ...{ ok: false, code: "env_not_repeatable" },
      message: expect.stringMatching(/\(episode 1, step \d\): the same seed and actions gave another end/),
    });
  });
});
