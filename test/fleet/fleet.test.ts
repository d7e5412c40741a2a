import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addParticipant } from "../../broker/src/domain/participants/api-keys.ts";
import { openRecords } from "../../broker/src/records/open.ts";
import type { Records } from "../../broker/src/records/records.ts";
import { until } from "../../broker/test/support/until.ts";
import { Challenge, type SubmissionEvent } from "../../cli/src/index.ts";
import { writeChaosChallenge } from "../../scripts/chaos/chaos-challenge.ts";
import { type Fleet, startFleet } from "../../scripts/chaos/fleet.ts";
import { root } from "../../scripts/lib/root.ts";
import type { Daemon } from "../../scripts/services/daemon.ts";
import { withoutService } from "../../scripts/services/programs.ts";
import { createSubmissionId } from "../../shared/src/index.ts";
import { allowedMs } from "../allowed-ms.ts";
import { missing } from "../required-programs.ts";

// Two brokers and two graders as processes, on PostgreSQL and Redis. What is promised for a quiet machine
// gets half as much again here, for the suite keeps this one busy.
const KILLED_MS = 10_000 * 1.5;
const FROZEN_MS = 15_000 * 1.5;
const STOPPED_MS = 2000 * 3;

/** As graders need them for boxes. */
const hasBoxes = process.getuid?.() === 0 && !missing("bwrap", "git");

/** The number of processes of this machine whose command contains a text. */
function running(mark: string): number {
  const isMarked = (pid: string) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(mark);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc").filter(isMarked).length;
}

const absent = withoutService("redis") || withoutService("postgres");

describe.skipIf(absent)("a fleet", { timeout: 90_000 }, () => {
  let folder: string;
  let fleet: Fleet;
  let records: Records;
  let key: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-fleet-"));
    const challenges = join(folder, "challenges");
    await writeChaosChallenge(challenges);
    await mkdir(join(challenges, "one"));
    await writeFile(
      join(challenges, "one/challenge.json"),
      JSON.stringify({
        id: "one",
        title: "One each",
        score: { title: "Score", order: "descending", precision: 3 },
        rounds: [{ id: "1", limit: { count: 1, per: "round" } }],
        evaluator: { command: ["python3", "../chaos/evaluate.py"], mode: "persistent" },
      }),
    );
    await cp(join(root, "examples/challenges/code-csv"), join(challenges, "code"), { recursive: true });
    // Both brokers find an empty database at the same instant, and make its tables.
    fleet = await startFleet({
      folder,
      challenges,
      brokers: 2,
      graders: 2,
      records: "postgres",
      s3: false,
      runtime: process.execPath,
    });
    records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
    key = await addParticipant(records, "ada", new Date().toISOString());
  }, 300_000);
  afterAll(async () => {
    await records?.close();
    await fleet?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (brokerUrl: string, challenge = "chaos") =>
    Challenge.open(challenge, { apiKey: key, broker: brokerUrl, lostAfterMs: 60_000 });
  const brokers = () => fleet.brokerUrls.slice(0, 2);
  const value = (seconds: number, steps = 0) => ({ score: 0.5, seconds, steps });

  /** Follows a submission to its end; each event with the moment it came here. */
  function follow(session: Challenge, id: string) {
    const events: (SubmissionEvent & { here: number })[] = [];
    const heard = new Set<() => void>();
    const over = (async () => {
      for await (const event of session.watch(id)) {
        events.push({ ...event, here: performance.now() });
        for (const wake of heard) wake();
      }
    })();
    /** The event of a type, the nth of it. */
    const event = (type: string, nth = 1) =>
      until(async () => events.filter((one) => one.type === type)[nth - 1], 60_000);
    return { events, over, event };
  }

  const graderOf = (name: unknown): Daemon => {
    const found = fleet.grader.find(({ pid }) => String(name).endsWith(`-${pid}`));
    if (!found) throw new Error(`no grader is ${name}`);
    return found;
  };
  const attached = (count: number) =>
    until(async () => {
      const answers = await Promise.all(
        brokers().map(async (url) => (await fetch(`${url}/api/v1/challenges/chaos`)).json()),
      );
      return answers.every((answer) => (answer as { graders: number }).graders === count);
    }, 30_000);
  const metric = async (name: string): Promise<number> => {
    const texts = await Promise.all(brokers().map(async (url) => (await fetch(`${url}/metrics`)).text()));
    const lines = texts.flatMap((text) => text.split("\n").filter((line) => line.startsWith(name)));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const logFigure = (what: string, ms: number) => {
    if (process.env.CROWDAI_FIGURES) console.log(`${what}: ${(ms / 1000).toFixed(1)} s`);
  };

  it("has one set of tables, though both brokers made them at the same instant", async () => {
    for (const url of brokers()) expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const names = await records.db.introspection.getTables();
    expect(names.filter(({ name }) => name === "submissions")).toHaveLength(1);
  });

  it("gives its last slot once, whichever brokers fifty requests come to", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const response = await fetch(`${brokers()[i % 2]}/api/v1/submissions`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({
            id: createSubmissionId(),
            challenge: "one",
            input: { kind: "inline", data: value(0) },
          }),
        });
        return [response.ok, ((await response.json()) as { error?: { code: string } }).error?.code];
      }),
    );
    expect(answers.filter(([ok]) => ok)).toHaveLength(1);
    expect(answers.filter(([, code]) => code === "no_slots")).toHaveLength(49);
    const slots = await records.db
      .selectFrom("slots")
      .select("state")
      .where("challenge", "=", "one")
      .execute();
    expect(slots).toHaveLength(1);
  });

  it.each([
    ["killed", KILLED_MS],
    ["stopped politely", STOPPED_MS],
    ["frozen", FROZEN_MS],
  ] as const)("runs the job of a grader that was %s elsewhere in time", async (how, most) => {
    await attached(2);
    const session = await open(fleet.balancer.url);
    const { id } = await session.submitValue(value(4), { wait: false });
    const seen = follow(session, id);
    const first = graderOf((await seen.event("grading")).data.grader);
    const lateBefore = await metric("crowdai_late_reports_refused_total");
    const { pid } = first;
    const began = performance.now();
    if (how === "killed") await first.kill("SIGKILL");
    else if (how === "frozen") await first.kill("SIGSTOP");
    else process.kill(pid, "SIGTERM");
    const again = await seen.event("grading", 2);
    logFigure(`a grader was ${how}, its job runs elsewhere after`, again.here - began);
    expect(again.here - began).toBeLessThan(allowedMs(most));
    // The thawed grader has a result, while the other is still grading.
    if (how === "frozen") await first.kill("SIGCONT");
    await seen.over;
    expect(seen.events.at(-1)).toMatchObject({ type: "graded", data: { score: 0.5 } });
    const received = seen.events.length;

    // The report of the thawed grader is too late: it is refused, and no one receives it.
    if (how === "frozen")
      await until(async () => (await metric("crowdai_late_reports_refused_total")) > lateBefore, 30_000);
    else await first.restart();
    const recorded = await records.db
      .selectFrom("events")
      .select("seq")
      .where("submission", "=", id)
      .execute();
    expect(recorded).toHaveLength(received);
    const accepted = await records.db
      .selectFrom("attempts")
      .select("grader")
      .where("submission", "=", id)
      .where("accepted", "=", 1)
      .execute();
    expect(accepted).toEqual([{ grader: again.data.grader }]);
    await session.close();
  });

  it.skipIf(!hasBoxes)(
    "runs code elsewhere when its grader is killed, and leaves nothing of the box",
    async () => {
      await attached(2);
      const project = join(folder, "project");
      const mark = `777.${process.pid}`;
      await mkdir(project);
      await writeFile(
        join(project, "main.py"),
        `import os, subprocess
try:
    subprocess.run(["sleep", "${mark}"], timeout=3)
except subprocess.TimeoutExpired:
    pass
with open(os.environ["CROWDAI_INPUT"] + "/test.csv") as rows, open(os.environ["CROWDAI_OUT"] + "/predictions.csv", "w") as out:
    out.write("id,species\\n")
    out.writelines(row.split(",")[0] + ",setosa\\n" for row in list(rows)[1:])
`,
      );
      // The broker whose object store the graders read.
      const session = await open(brokers()[0]!, "iris-code");
      const { id } = await session.submitCode({
        ...{ code: project, command: ["python3", "main.py"], wait: false },
      });
      const seen = follow(session, id);
      const first = graderOf((await seen.event("grading")).data.grader);
      await until(async () => running(mark) > 0, 60_000);
      await first.kill("SIGKILL");
      expect((await seen.event("grading", 2)).data.grader).not.toContain(`-${first.pid}`);
      await seen.over;
      expect(seen.events.at(-1)).toMatchObject({ type: "graded" });
      await until(async () => running(mark) === 0, 30_000);
      await first.restart();
      await session.close();
    },
  );

  it("loses no watcher with a broker: the other tells exactly what was missed", async () => {
    await attached(2);
    const session = await open(fleet.balancer.url);
    const { id } = await session.submitValue(value(6, 11), { wait: false });
    const seen = follow(session, id);
    await seen.event("progress");
    // A scrape may be a second old.
    const mine = await until(async () => {
      const sessions = await Promise.all(
        brokers().map(async (url) =>
          /^crowdai_sessions (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text()),
        ),
      );
      return fleet.broker[sessions.findIndex((found) => Number(found?.[1]) > 0)] ?? null;
    }, 10_000);
    await mine.kill("SIGKILL");
    await seen.over;
    expect(seen.events.map(({ seq }) => seq)).toEqual(seen.events.map((_, index) => index + 1));
    expect(seen.events.filter(({ type }) => type === "progress")).toHaveLength(11);
    expect(seen.events.at(-1)?.type).toBe("graded");
    await mine.restart();
    await session.close();
  });

  it("takes submissions while Redis is away, says that they wait for dispatch, and keeps their order", async () => {
    await attached(2);
    // One grader with two places: what is fifth in line cannot start before the first has ended.
    await fleet.grader[1]!.stop();
    await fleet.redis[0]!.stop();
    const session = await open(brokers()[0]!);
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push((await session.submitValue(value(0.3), { wait: false })).id);
    const said = await until(async () => {
      const response = await fetch(`${brokers()[1]}/api/v1/submissions/${ids[7]}`, {
        headers: { authorization: `Bearer ${key}` },
      });
      const { waiting, place } = (await response.json()) as { waiting: string; place: number };
      return waiting === "waiting for dispatch" ? { waiting, place } : null;
    }, 30_000);
    expect(said.place).toBe(8);
    for (const url of brokers())
      await until(async () => (await fetch(`${url}/readyz`)).status === 503, 30_000);

    await fleet.redis[0]!.restart();
    const grades = await Promise.all(ids.map((id) => session.wait(id)));
    const begun = grades.map(({ message }) => Number(message));
    const order = [...begun.keys()].sort((one, other) => begun[one]! - begun[other]!);
    for (const [position, index] of order.entries()) expect(Math.abs(position - index)).toBeLessThan(3);
    for (const url of brokers())
      await until(async () => (await fetch(`${url}/readyz`)).status === 200, 30_000);
    await fleet.grader[1]!.restart();
    await session.close();
  });

  it("lets participants of different brokers take turns", async () => {
    await attached(2);
    await Promise.all(fleet.grader.map((one) => one.stop()));
    const ada = await open(brokers()[0]!);
    const bob = await Challenge.open("chaos", {
      apiKey: await addParticipant(records, "bob", new Date().toISOString()),
      broker: brokers()[1]!,
      lostAfterMs: 60_000,
    });
    const sent = await Promise.all(
      Array.from({ length: 30 }, () => ada.submitValue(value(0.05), { wait: false })),
    );
    const { id } = await bob.submitValue(value(0.05), { wait: false });
    expect((await bob.submissions({ limit: 1 }))[0]?.place).toBe(2);
    await Promise.all(fleet.grader.map((one) => one.restart()));
    const began = Number((await bob.wait(id)).message);
    const others = await Promise.all(sent.map(async (one) => Number((await ada.wait(one.id)).message)));
    // Each of the two graders has two slots.
    expect(others.filter((other) => other < began).length).toBeLessThanOrEqual(4);
    await Promise.all([ada.close(), bob.close()]);
  });

  it("rebuilds from the records what a flushed Redis has lost", async () => {
    await attached(2);
    const session = await open(brokers()[0]!);
    await Promise.all(fleet.grader.map((one) => one.stop()));
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await session.submitValue(value(0.1), { wait: false })).id);
    await until(async () => (await metric("crowdai_outbox_dispatch")) === 0);
    await fleet.redisCommand("FLUSHALL");
    await Promise.all(fleet.grader.map((one) => one.restart()));
    const grades = await Promise.all(ids.map((id) => session.wait(id)));
    expect(grades.map(({ score }) => score)).toEqual(ids.map(() => 0.5));
    await session.close();
  });
});
