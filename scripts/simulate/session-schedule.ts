import { tmpdir } from "node:os";
import type { AgentAnswer, AgentRequest } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import type { JournalEntry, StepChannel } from "@crowdai/shared/step-channel";
import {
  createPendingRequests,
  type PendingRequests,
} from "../../broker/src/domain/sessions/pending-requests.ts";
import { playRemote } from "../../grader/src/environment/play-remote.ts";
import { openSession } from "../../grader/src/environment/session.ts";
import { RunFailure } from "../../grader/src/run/run-failure.ts";
import type { Choices } from "./choices.ts";
import type { Ended } from "./schedule.ts";
import { createSimulatedChannel } from "./simulated-channel.ts";
import { EPISODES, STEPS, startSimulatedEnvironment } from "./simulated-environment.ts";
import { Violation } from "./violation.ts";
import { createWorld, type Program, useTimersOf, type World } from "./world.ts";

const BEGIN = Date.parse("2026-01-01T00:00:00Z");
const RESTART_MS = 3000;
const LEASE_MS = 10_000;
const WAIT_MS = 5000;
const IDLE_SECONDS = 120;
/** An answer is sent a while after the clock of the session was started again. */
const SLACK_SECONDS = 30;
const MAX_FAULTS = 5;
const ID = "01HZZZZZZZZZZZZZZZZZZZZZ01";
const SEEDS = [3, 4];
const GIVEN = new Error("the job was given to another grader");

const { environment: config } = challengeConfigSchema.parse({
  id: "maze",
  title: "Maze",
  score: { precision: 6, order: "descending" },
  evaluator: { command: ["true"], mode: "environment", timeout_seconds: 50 },
  environment: { seeds: { count: EPISODES }, limits: { steps: 100, idle_seconds: IDLE_SECONDS } },
});

interface Broker {
  program: Program;
  requests: PendingRequests;
}

type Verdict = { score: number } | { code: string };

/**
 * Runs one session of a remote agent: requests go over any broker and a step channel to the grader that holds the session, whose journal
 * another one continues. The product's own code keeps pending requests, plays the session and judges the requests.
 */
export async function runSessionSchedule(choices: Choices): Promise<Ended> {
  const world = createWorld(choices, { faults: choices.pick(MAX_FAULTS + 1), begin: BEGIN });
  useTimersOf(world);
  try {
    await play(world);
    return { violation: null, taken: choices.taken, trace: world.trace };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { violation: error, taken: choices.taken, trace: world.trace };
  } finally {
    useTimersOf(null);
  }
}

async function play(world: World): Promise<void> {
  const { choices } = world;
  let broken: Violation | null = null;
  const fail = (promise: string, message: string) => {
    broken ??= new Violation(promise, message);
  };
  const failed = (error: unknown) =>
    fail("no error of its own", error instanceof Error ? (error.stack ?? error.message) : String(error));

  /** When each grader last heard of the agent, or answered. */
  const heardAt = new WeakMap<Program, number>();
  const heard = (grader: Program) => void heardAt.set(grader, world.now().getTime());
  const channel = createSimulatedChannel(world, {
    heard,
    recorded: (entry) => checkEntry(channel.journal, entry, fail),
  });
  const brokers: Broker[] = [];
  let verdict: Verdict | null = null;
  let isAgentDone = false;
  let hasLeft = false;
  let silence = 0;
  let isCharged = false;
  /** The grader whose report counts. */
  let delivery = 0;
  let isQueued = true;

  function startBroker(name: string): void {
    const program = world.start(name);
    const requests = createPendingRequests((request, signal) => channel.ask(program, request, signal));
    const broker = { program, requests };
    brokers.push(broker);
    program.onCrash.push(() => {
      brokers.splice(brokers.indexOf(broker), 1);
      world.after(RESTART_MS, () => startBroker(name));
    });
  }

  function startGrader(name: string): void {
    const program = world.start(name);
    program.onCrash.push(() => world.after(RESTART_MS, () => startGrader(name)));
    void grade(program).catch(failed);
  }

  async function grade(program: Program): Promise<void> {
    while (program.alive) {
      await world.step(program, "takes the session", () => isQueued && verdict === null);
      isQueued = false;
      const mine = ++delivery;
      const putBack = () => {
        if (mine === delivery && verdict === null) isQueued = true;
      };
      const given = new AbortController();
      const expire = () => {
        putBack();
        // With its next heartbeat, if it comes through.
        world.after(1000 * choices.pick(7), () => given.abort(GIVEN));
      };
      program.onCrash.push(() => world.after(LEASE_MS, putBack));
      const found = await playSession(program, expire, given.signal);
      if (found === null) continue;
      await world.step(program, "reports the end of the session");
      if (mine !== delivery || verdict !== null) continue;
      verdict = found;
      silence = world.now().getTime() - (heardAt.get(program) ?? BEGIN);
      for (const { requests } of brokers) requests.end(new Error("the session has ended"));
    }
  }

  const open = (program: Program) =>
    openSession({
      ...{ id: ID, challenge: "maze", version: "1", round: 1, config: config!, seeds: SEEDS },
      agent: "remote",
      start: async () => startSimulatedEnvironment(world, program, () => heard(program)),
      // Nothing is written: a log of a few lines stays in memory.
      folder: tmpdir(),
      onProgress() {},
      onStarted() {
        isCharged = true;
      },
    });

  /** Resolves to null when the job was given to another grader. */
  async function playSession(
    program: Program,
    expire: () => void,
    signal: AbortSignal,
  ): Promise<Verdict | null> {
    const steps = {
      async serve(_id, answer) {
        if (world.fault(`${program.name} is frozen before it serves the session`, 20)) {
          expire();
          await new Promise<void>((resolve) => world.after(1000 * choices.pick(10), resolve));
        }
        const serving = await channel.serve(program, answer);
        // Without a lease, it still goes on.
        if (world.fault(`the lease of ${program.name} expires`, 10))
          world.after(1000 * choices.pick(30), expire);
        return serving;
      },
      journal: () => channel.read(program),
    } as Pick<StepChannel, "serve" | "journal"> as StepChannel;
    try {
      const session = await playRemote(
        { id: ID, deterministic: true, idleMs: IDLE_SECONDS * 1000, signal },
        steps,
        () => open(program),
      );
      const finished = await session.finish();
      return finished.kind === "result" ? { score: finished.result.score! } : { code: "rejected" };
    } catch (error) {
      if (error === GIVEN) return null;
      if (error instanceof RunFailure) return { code: error.code };
      throw error;
    }
  }

  const sums = Array.from({ length: EPISODES }, () => 0);
  const agent = world.start("agent", { mortal: false });

  async function act(): Promise<void> {
    for (let episode = 1; episode <= EPISODES; episode++) {
      await expectAnswer({ type: "reset", episode }, "observation");
      for (let n = 1; n <= STEPS; n++) {
        const answer = await expectAnswer({ type: "step", episode, n, action: choices.pick(5) }, "step");
        if (answer?.type === "step") sums[episode - 1]! += answer.reward;
        if (choices.pick(40) === 39 && !(episode === EPISODES && n === STEPS)) {
          hasLeft = true;
          return;
        }
      }
    }
    await expectAnswer({ type: "submit" }, "end");
  }

  async function expectAnswer(request: AgentRequest, type: AgentAnswer["type"]): Promise<AgentAnswer | null> {
    if (choices.pick(12) === 11) await new Promise<void>((resolve) => world.after(20_000, resolve));
    const answer = await askUntilAnswered(request);
    if (answer?.type === "observation" && !isCharged)
      fail("charged at the first answered reset", "a reset was answered, and no start reported");
    if (answer === null || answer.type === type) return answer;
    // Whether that is right is checked with the verdict.
    if (answer.type === "error" && answer.code === "session_abandoned") return null;
    fail("no answered step is lost", `${JSON.stringify(request)} was answered by ${JSON.stringify(answer)}`);
    return null;
  }

  /** Null where the session has ended. */
  async function askUntilAnswered(request: AgentRequest): Promise<AgentAnswer | null> {
    // Two at once, as after a lost connection.
    if (choices.pick(8) === 7) void ask(request);
    while (verdict === null) {
      const answer = await ask(request);
      if (answer !== null && !world.fault("an answer is lost", 5)) return answer;
    }
    return null;
  }

  async function ask(request: AgentRequest): Promise<AgentAnswer | null> {
    await world.step(agent, `asks for ${request.type}`, () => brokers.length > 0);
    const { requests, program } = brokers[choices.pick(brokers.length)]!;
    const gone = new AbortController();
    if (world.fault("the agent is interrupted", 5)) world.after(choices.pick(3) * 500, () => gone.abort());
    const crashed = new Promise<null>((resolve) => program.onCrash.push(() => resolve(null)));
    const answer = requests.ask(request, WAIT_MS, gone.signal).catch(() => null);
    return Promise.race([answer, crashed]);
  }

  for (let n = choices.pick(2); n >= 0; n--) startBroker(`broker ${n + 1}`);
  for (let n = choices.pick(2); n >= 0; n--) startGrader(`grader ${n + 1}`);
  void act()
    .catch(failed)
    .finally(() => {
      isAgentDone = true;
    });
  await world.run(() => {
    if (broken !== null) throw broken;
    return verdict !== null && isAgentDone;
  });
  if (hasLeft || isAbandoned(verdict!, silence)) return checkAbandoned(verdict!, silence);
  checkGrade(verdict!, channel.journal, sums);
  let replayed: Verdict | null = null;
  void replay(world.start("the re-grading", { mortal: false })).then((found) => {
    replayed = found;
  }, failed);
  await world.run(() => {
    if (broken !== null) throw broken;
    return replayed !== null;
  });
  checkGrade(replayed!, channel.journal, sums);

  /** Steps the journal again, as a re-grading does with a stored step log. */
  async function replay(program: Program): Promise<Verdict> {
    const session = await open(program);
    await session.playAgain(channel.journal, { resumes: false });
    const finished = await session.finish();
    return finished.kind === "result" ? { score: finished.result.score! } : { code: "rejected" };
  }
}

/** Entries follow each other: none is missing, and none is there twice. */
function checkEntry(
  journal: readonly JournalEntry[],
  entry: JournalEntry,
  fail: (promise: string, message: string) => void,
): void {
  const before = journal.at(-2);
  if (before?.type === "submit" || entry.type === "submit") {
    // A submit may be recorded again, and nothing else comes after it.
    if (entry.type !== "submit") fail("each step counts once", `${JSON.stringify(entry)} follows the submit`);
    return;
  }
  const fits =
    entry.type === "reset"
      ? before === undefined
        ? entry.episode === 1
        : before.type === "step" && before.over && entry.episode === before.episode + 1
      : before?.episode === entry.episode && entry.n === (before.type === "step" ? before.n + 1 : 1);
  if (!fits) fail("each step counts once", `${JSON.stringify(entry)} follows ${JSON.stringify(before)}`);
}

/** Also an agent that goes on loses its session when the time between two of its requests was too long. */
const isAbandoned = (verdict: Verdict, silence: number): boolean =>
  "code" in verdict &&
  verdict.code === "session_abandoned" &&
  silence >= 1000 * (IDLE_SECONDS - SLACK_SECONDS);

function checkAbandoned(verdict: Verdict, silence: number): void {
  if (!isAbandoned(verdict, silence))
    throw new Violation("the right end", `after ${silence} ms of silence: ${JSON.stringify(verdict)}`);
}

function checkGrade(verdict: Verdict, journal: readonly JournalEntry[], sums: readonly number[]): void {
  if ("code" in verdict) throw new Violation("the right end", `the session failed with ${verdict.code}`);
  const rewards = journal.reduce((sum, entry) => sum + (entry.type === "step" ? entry.reward : 0), 0);
  if (verdict.score !== rewards / EPISODES)
    throw new Violation(
      "the grade is that of the journal",
      `${verdict.score} instead of ${rewards / EPISODES}`,
    );
  const seen = sums.reduce((sum, each) => sum + each, 0);
  if (rewards !== seen)
    throw new Violation("no answered step is lost", `the agent saw ${seen}, the journal has ${rewards}`);
}
