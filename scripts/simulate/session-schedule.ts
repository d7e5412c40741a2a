import { tmpdir } from "node:os";
import {
  type AgentAnswer,
  type AgentRequest,
  CrowdaiError,
  intentSchema,
  type Outcome,
  type Report,
  STEP_LOG,
} from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import type { JournalEntry, StepChannel } from "@crowdai/shared/step-channel";
import type { Caller } from "../../broker/src/domain/participants/api-keys.ts";
import { createRemoteAgents, type RemoteAgents } from "../../broker/src/domain/sessions/remote-agents.ts";
import { playRemote } from "../../grader/src/environment/play-remote.ts";
import { openSession, type Session } from "../../grader/src/environment/session.ts";
import { RunFailure } from "../../grader/src/run/run-failure.ts";
import type { Choices } from "./choices.ts";
import type { PlantedFault } from "./planted/planted-fault.ts";
import { createPromises, type Row, type Verdicts } from "./promises.ts";
import type { Ended } from "./schedule.ts";
import { catalogOf, type SimulatedBroker, startSimulatedBroker } from "./simulated-broker.ts";
import { createSimulatedChannel } from "./simulated-channel.ts";
import { runSimulatedClient } from "./simulated-client.ts";
import { EPISODES, STEPS, startSimulatedEnvironment } from "./simulated-environment.ts";
import { deliveryName } from "./simulated-grader.ts";
import { createSimulatedQueue, type Lease } from "./simulated-queue.ts";
import { type Database, recordsFor } from "./simulated-records.ts";
import { Violation } from "./violation.ts";
import { createWorld, type Program, useTimersOf, type World } from "./world.ts";

const BEGIN = Date.parse("2026-01-01T00:00:00Z");
const RESTART_MS = 3000;
const WAIT_MS = 20_000;
const IDLE_SECONDS = 120;
/** An answer is sent a while after the clock of the session was started again. */
const SLACK_SECONDS = 30;
const EPISODE_SECONDS = 300;
const MAX_FAULTS = 5;
const ID = "01HZZZZZZZZZZZZZZZZZZZZZ01";
const SEEDS = [3, 4];
const CALLER: Caller = { kind: "participant", id: 1, name: "participant 1", keyHash: "" };
const GIVEN = new Error("the job was given to another grader");

const config = challengeConfigSchema.parse({
  id: "maze",
  title: "Maze",
  score: { precision: 6, order: "descending" },
  rounds: [{ id: "1", limit: { count: 2, per: "round" }, parallel_limit: null }],
  evaluator: { command: ["true"], mode: "environment", timeout_seconds: 50 },
  environment: {
    seeds: { count: EPISODES },
    limits: { steps: 100, idle_seconds: IDLE_SECONDS, episode_seconds: EPISODE_SECONDS, reset_seconds: 10 },
  },
});
const catalog = catalogOf(config);

/** Rarely: the deadline of a session is half an hour away. */
const INTERVALS = { dispatch: 60_000, deadlines: 120_000, regrades: 60_000 };

interface Broker extends SimulatedBroker {
  agents: RemoteAgents;
}

/** The last moments of a session, as the grader that reports its outcome knows them. */
interface Ending {
  /** Milliseconds since it last heard of the agent. */
  silence: number;
  /** Milliseconds since it took the job. */
  took: number;
}

/**
 * Runs one session of a remote agent: it is registered, queued and taken like any submission. Requests go over any broker and a step
 * channel to the grader that holds the session, whose journal another one continues. The product's own code does all that brokers do,
 * plays the session and judges the requests.
 */
export async function runSessionSchedule(
  database: Database,
  choices: Choices,
  planted: PlantedFault | null = null,
): Promise<Ended> {
  const world = createWorld(choices, { faults: choices.pick(MAX_FAULTS + 1), begin: BEGIN });
  useTimersOf(world);
  try {
    await play(world, database, planted);
    return { violation: null, taken: choices.taken, trace: world.trace };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { violation: error, taken: choices.taken, trace: world.trace };
  } finally {
    useTimersOf(null);
    database.end();
  }
}

async function play(world: World, database: Database, planted: PlantedFault | null): Promise<void> {
  const { choices } = world;
  let broken: Violation | null = null;
  const fail = (promise: string, message: string) => {
    broken ??= new Violation(promise, message);
  };
  const failed = (error: unknown) => {
    if (error instanceof Violation) broken ??= error;
    else fail("no error of its own", error instanceof Error ? (error.stack ?? error.message) : String(error));
  };
  const guarded = <A extends unknown[]>(work: (...args: A) => void) => {
    return (...args: A) => {
      try {
        work(...args);
      } catch (error) {
        failed(error);
      }
    };
  };

  /** When each grader last heard of the agent, or answered, and when before that. */
  const heardAt = new WeakMap<Program, { at: number; before: number }>();
  const heard = (grader: Program) => {
    const now = world.now().getTime();
    const { at } = heardAt.get(grader) ?? { at: BEGIN };
    if (at !== now) heardAt.set(grader, { at: now, before: at });
  };
  /** A request of the moment in which the deadline passed came too late to end the silence. */
  const silenceOf = (grader: Program) => {
    const now = world.now().getTime();
    const { at, before } = heardAt.get(grader) ?? { at: BEGIN, before: BEGIN };
    return now - (at === now ? before : at);
  };
  const channel = createSimulatedChannel(world, {
    heard,
    recorded: (entry) => checkEntry(channel.journal, entry, fail),
  });
  const queue = createSimulatedQueue(world);
  /** By the name of the delivery. */
  const endings = new Map<string, Ending>();
  const sums = Array.from({ length: EPISODES }, () => 0);
  let hasObserved = false;
  let hasFinished = false;
  let mayBeCancelled = false;
  let mayBeOverdue = false;
  let isReported = false;
  let isClientDone = false;
  let row: Row | null = null;
  /** Whether the agent heard that its session has ended. */
  let hasEnded = false;

  const verdicts: Verdicts = {
    check(found, fail) {
      row = found;
      if (found.overdue > 0 && !mayBeOverdue)
        fail("a healthy session goes on", "it was taken away from its grader");
      checkEnd(found, fail);
    },
    slots({ state, error_code, plays }) {
      // The answer to the first reset may be on its way.
      const played = hasObserved
        ? ["charged"]
        : channel.journal.length > 0
          ? ["charged", "returned"]
          : ["returned"];
      if (state === "cancelled") return plays > 0 ? ["charged"] : ["returned"];
      return error_code === "session_abandoned" || error_code === "agent_timeout" ? played : ["returned"];
    },
  };

  function checkEnd({ state, score, error_code, outcome_of, attempt }: Row, fail: Fails): void {
    const complete =
      channel.journal.filter((entry) => entry.type === "step" && entry.over).length === EPISODES;
    if (state === "graded") {
      if (!complete) fail("the right end", "it was graded before its last episode was over");
      if (score !== rewardsOf(channel.journal) / EPISODES)
        fail(
          "the grade is that of the journal",
          `${score} instead of ${rewardsOf(channel.journal) / EPISODES}`,
        );
    } else if (state === "cancelled" && !mayBeCancelled) fail("the right end", "no one cancelled it");
    if (state !== "failed") return;
    const { silence, took } = endings.get(outcome_of ?? "") ?? { silence: 0, took: 0 };
    const isAbandoned =
      error_code === "session_abandoned" && silence >= 1000 * (IDLE_SECONDS - SLACK_SECONDS);
    const isLate = error_code === "agent_timeout" && took >= 1000 * EPISODE_SECONDS;
    if (!isAbandoned && !isLate && error_code !== "gave_up")
      fail(
        "the right end",
        `it failed with ${error_code} in attempt ${attempt} after ${silence} ms of silence`,
      );
  }

  database.begin([CALLER.name], new Date(BEGIN).toISOString());
  const promises = createPromises(database.sqlite, verdicts);
  database.committed = guarded(promises.checkCommit);
  const brokers: Broker[] = [];

  function startBroker(name: string): void {
    const program = world.start(name);
    const simulated = startSimulatedBroker({
      ...{ world, program, queue, failed, catalog, seeds: SEEDS, intervals: INTERVALS },
      records: recordsFor(database, world, program),
      announced: guarded((events) => {
        promises.announced(events);
        agents.heard(events);
      }),
      receive: planted?.receive ? (report) => planted.receive!(database.sqlite, report) : (report) => report,
    });
    const steps = {
      ask: (_id: string, request: AgentRequest, signal: AbortSignal) => channel.ask(program, request, signal),
    } as StepChannel;
    const agents = createRemoteAgents(
      () => simulated.context,
      steps,
      () => world.now().getTime(),
    );
    const broker = { ...simulated, agents };
    brokers.push(broker);
    program.onCrash.push(() => {
      brokers.splice(brokers.indexOf(broker), 1);
      world.after(RESTART_MS, () => startBroker(name));
    });
  }

  function startGrader(name: string): void {
    const program = world.start(name);
    program.onCrash.push(() => world.after(RESTART_MS, () => startGrader(name)));
    void (async () => {
      while (program.alive) await grade(program, await queue.take(program));
    })().catch(failed);
  }

  async function grade(program: Program, lease: Lease): Promise<void> {
    const { submission, attempt, input } = lease.job;
    const base = { submission, attempt, delivery: lease.delivery, grader: program.name };
    const evaluator_version = deliveryName(attempt, lease.delivery);
    const began = world.now().getTime();
    const given = new AbortController();
    // With its next heartbeat, if it comes through.
    lease.onGiven = () => world.after(1000 * choices.pick(7), () => given.abort(GIVEN));
    let sent: Promise<unknown> = Promise.resolve();
    // In order; one that is refused does not end the session.
    const send = (report: Report) => {
      sent = sent.then(() => queue.report(program, lease, report)).catch(() => {});
      return sent;
    };
    let session: Session | null = null;
    const open = async () => {
      session = await openOne(program, () => {
        isReported = true;
        void send({ ...base, type: "progress", percent: 0, message: null, stage: "play" });
      });
      return session;
    };
    void send({ ...base, type: "started" });
    const found =
      input.kind === "session" && input.replay !== null
        ? await replay(await open())
        : await playSession(program, lease, given.signal, open);
    if (found === null) return;
    const isStarted = (session as Session | null)?.referee.hasStarted() ?? false;
    const now = world.now().getTime();
    endings.set(evaluator_version, { silence: silenceOf(program), took: now - began });
    const outcome: Outcome = found.ok
      ? { ...found, evaluator_version }
      : { ...found, charge: isStarted, evaluator_version };
    await send({ ...base, type: "finished", outcome, organiser_log: "", seconds: 1 });
    await queue.acknowledge(program, lease);
  }

  const openOne = (program: Program, onStarted: () => void) =>
    openSession({
      ...{ id: ID, challenge: "maze", version: "1", round: 1, config: config.environment!, seeds: SEEDS },
      agent: "remote",
      start: async () => startSimulatedEnvironment(world, program, () => heard(program)),
      // Nothing is written: a log of a few lines stays in memory.
      folder: tmpdir(),
      onProgress() {},
      onStarted,
    });

  /** Resolves to null when the job was given to another grader. */
  async function playSession(
    program: Program,
    lease: Lease,
    signal: AbortSignal,
    open: () => Promise<Session>,
  ): Promise<Outcome | null> {
    const steps = {
      async serve(_id, answer) {
        if (world.fault(`${program.name} is frozen before it serves the session`, 20)) {
          queue.expireLease(lease);
          await new Promise<void>((resolve) => world.after(1000 * choices.pick(10), resolve));
        }
        const serving = await channel.serve(program, answer);
        // Without a lease, it still goes on.
        if (world.fault(`the lease of ${program.name} expires`, 10))
          world.after(1000 * choices.pick(30), () => queue.expireLease(lease));
        return serving;
      },
      journal: () => channel.read(program),
    } as Pick<StepChannel, "serve" | "journal"> as StepChannel;
    try {
      const agent = { id: ID, deterministic: true, idleMs: IDLE_SECONDS * 1000, signal };
      return await outcomeOf(await playRemote(agent, steps, open));
    } catch (error) {
      if (error === GIVEN) return null;
      if (error instanceof RunFailure)
        return { ok: false, code: error.code, message: error.message, evaluator_version: "" };
      throw error;
    }
  }

  /** Steps the journal again, as a re-grading does with a stored step log. */
  async function replay(session: Session): Promise<Outcome> {
    await session.playAgain(channel.journal, { resumes: false });
    const outcome = await outcomeOf(session);
    if (!outcome.ok || outcome.score !== rewardsOf(channel.journal) / EPISODES)
      fail("the grade is that of the journal", `a replay ends with ${JSON.stringify(outcome)}`);
    return outcome;
  }

  async function act(): Promise<void> {
    // An agent that registers its session and never plays.
    if (choices.pick(10) === 9) return;
    for (let episode = 1; episode <= EPISODES; episode++) {
      await expectAnswer({ type: "reset", episode }, "observation");
      for (let n = 1; n <= STEPS; n++) {
        if (choices.pick(40) === 39) return await leave();
        const answer = await expectAnswer({ type: "step", episode, n, action: choices.pick(5) }, "step");
        if (answer?.type === "step") sums[episode - 1]! += answer.reward;
        if (hasEnded) return;
      }
    }
    await expectAnswer({ type: "submit" }, "end");
    hasFinished = true;
  }

  /** Without a word, or by cancelling. */
  async function leave(): Promise<void> {
    if (choices.pick(2) === 0) return;
    mayBeCancelled = true;
    await world.step(agent, "cancels the session", () => brokers.length > 0);
    const broker = brokers[choices.pick(brokers.length)]!;
    void broker.cancel(CALLER, ID).catch((error) => {
      if (!(error instanceof CrowdaiError)) failed(error);
    });
  }

  async function expectAnswer(request: AgentRequest, type: AgentAnswer["type"]): Promise<AgentAnswer | null> {
    if (choices.pick(12) === 11)
      await new Promise<void>((resolve) => world.after(choices.pick(2) === 1 ? 80_000 : 20_000, resolve));
    const answer = await askUntilAnswered(request);
    if (answer?.type === "observation") {
      hasObserved = true;
      if (!isReported)
        fail("charged at the first answered reset", "a reset was answered, and no start reported");
    }
    if (answer === null || answer.type === type) return answer;
    // Whether that is right is checked with the verdict.
    if (answer.type === "error" && ["session_abandoned", "agent_timeout"].includes(answer.code)) {
      hasEnded = true;
      return null;
    }
    fail("no answered step is lost", `${JSON.stringify(request)} was answered by ${JSON.stringify(answer)}`);
    return null;
  }

  /** Null where the session has ended. */
  async function askUntilAnswered(request: AgentRequest): Promise<AgentAnswer | null> {
    // Two at once, as after a lost connection.
    if (choices.pick(8) === 7) void ask(request);
    while (!hasEnded) {
      const answer = await ask(request);
      if (answer !== null && !world.fault("an answer is lost", 5)) return answer;
    }
    return null;
  }

  async function ask(request: AgentRequest): Promise<AgentAnswer | null> {
    await world.step(agent, `asks for ${request.type}`, () => brokers.length > 0);
    const { agents, program } = brokers[choices.pick(brokers.length)]!;
    const gone = new AbortController();
    if (world.fault("the agent is interrupted", 5)) world.after(choices.pick(3) * 500, () => gone.abort());
    const crashed = new Promise<null>((resolve) => program.onCrash.push(() => resolve(null)));
    const answer = agents.ask(CALLER, ID, request, WAIT_MS, gone.signal).catch((error) => {
      if (!(error instanceof CrowdaiError)) failed(error);
      else if (error.code !== "interrupted") {
        hasEnded = true;
        if (row?.state !== "failed" && row?.state !== "cancelled")
          fail("the right end", `the agent hears ${error.code} while its session is ${row?.state}`);
      }
      return null;
    });
    return Promise.race([answer, crashed]);
  }

  for (let n = choices.pick(2); n >= 0; n--) startBroker(`broker ${n + 1}`);
  for (let n = choices.pick(2); n >= 0; n--) startGrader(`grader ${n + 1}`);
  const agent = world.start("agent", { mortal: false });
  const intent = intentSchema.parse({ id: ID, challenge: "maze", input: { kind: "session" } });
  void runSimulatedClient({
    ...{ world, program: agent, caller: CALLER, intent, promises },
    brokers: () => brokers,
    cancels() {
      mayBeCancelled = true;
    },
  })
    .then(act)
    .catch(failed)
    .finally(() => {
      isClientDone = true;
    });
  if (choices.pick(6) === 5)
    world.after(100 * choices.pick(200), () => {
      mayBeOverdue = true;
      queue.flush();
    });
  if (choices.pick(6) === 5)
    world.after(100 * choices.pick(200), () => {
      mayBeOverdue = true;
      queue.loseJob();
    });
  const isQuiet = () => {
    if (broken !== null) throw broken;
    return isClientDone && promises.isQuiet() && queue.isIdle();
  };
  await world.run(isQuiet);
  promises.checkEnd();
  const end = row as Row | null;
  if (hasFinished && !hasEnded && end?.state === "graded") {
    const seen = sums.reduce((sum, each) => sum + each, 0);
    if (rewardsOf(channel.journal) !== seen)
      fail(
        "no answered step is lost",
        `the agent saw ${seen}, the journal has ${rewardsOf(channel.journal)}`,
      );
  }
  if (end?.state === "graded" && choices.pick(3) === 2) {
    let isStarted = false;
    void regrade().catch(failed);
    await world.run(() => isQuiet() && isStarted);

    async function regrade(): Promise<void> {
      await world.step(agent, "an organizer regrades", () => brokers.length > 0);
      const broker = brokers[0]!;
      broker.program.onCrash.push(() => {
        isStarted = true;
      });
      await broker.regrade();
      isStarted = true;
    }
  }
  if (broken !== null) throw broken;
}

type Fails = (promise: string, message: string) => never;

const rewardsOf = (journal: readonly JournalEntry[]): number =>
  journal.reduce((sum, entry) => sum + (entry.type === "step" ? entry.reward : 0), 0);

/** Takes the grade of a session whose episodes are over. */
async function outcomeOf(session: Session): Promise<Outcome> {
  const finished = await session.finish();
  const nothing = { score_secondary: null, message: null, data: null, media: null, evaluator_version: "" };
  if (finished.kind === "rejected")
    return { ok: false, code: "rejected", message: finished.message, evaluator_version: "" };
  const log = { key: "log", name: STEP_LOG, size: 1, sha256: "0".repeat(64), type: "application/gzip" };
  return { ok: true, score: finished.result.score!, ...nothing, meta: {}, artifacts: [log] };
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
