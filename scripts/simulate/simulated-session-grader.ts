import { tmpdir } from "node:os";
import { type Outcome, type Report, STEP_LOG } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { StepChannel } from "@crowdai/shared/step-channel";
import { playRemote } from "../../grader/src/environment/play-remote.ts";
import { openSession, type Session } from "../../grader/src/environment/session.ts";
import { RunFailure } from "../../grader/src/run/run-failure.ts";
import type { Failures } from "./play-schedule.ts";
import { gradeOf, type SessionPromises } from "./session-promises.ts";
import type { SimulatedChannel } from "./simulated-channel.ts";
import { IDLE_SECONDS, startSimulatedEnvironment } from "./simulated-environment.ts";
import { deliveryName } from "./simulated-grader.ts";
import type { Lease, SimulatedQueue } from "./simulated-queue.ts";
import type { Program, World } from "./world.ts";

const GIVEN = new Error("the job was given to another grader");

export interface SessionGraderOptions {
  world: World;
  program: Program;
  queue: SimulatedQueue;
  channel: SimulatedChannel;
  promises: SessionPromises;
  broke: Failures["broke"];
  /** The session that is played. */
  session: { id: string; config: ChallengeConfig; seeds: readonly number[] };
}

/** Takes one job after another, and plays its session with the product's own code. */
export async function runSimulatedSessionGrader(options: SessionGraderOptions): Promise<void> {
  const { world, program, queue, channel, promises, broke } = options;
  const { id, config, seeds } = options.session;
  const { choices } = world;
  while (program.alive) await grade(await queue.take(program));

  async function grade(lease: Lease): Promise<void> {
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
      session = await openOne(() => {
        promises.isReported = true;
        void send({ ...base, type: "progress", percent: 0, message: null, stage: "play" });
      });
      return session;
    };
    void send({ ...base, type: "started" });
    const found =
      input.kind === "session" && input.replay !== null
        ? await replay(await open())
        : await play(lease, given.signal, open);
    if (found === null) return;
    const isStarted = (session as Session | null)?.referee.hasStarted() ?? false;
    promises.ends(program, evaluator_version, began);
    const outcome: Outcome = found.ok
      ? { ...found, evaluator_version }
      : { ...found, charge: isStarted, evaluator_version };
    await send({ ...base, type: "finished", outcome, organiser_log: "", seconds: 1 });
    await queue.acknowledge(program, lease);
  }

  function openOne(onStarted: () => void): Promise<Session> {
    return openSession({
      ...{ id, challenge: config.id, version: "1", round: 1, config: config.environment!, seeds },
      agent: "remote",
      start: async () => startSimulatedEnvironment(world, program, () => promises.heard(program)),
      // Nothing is written: a log of a few lines stays in memory.
      folder: tmpdir(),
      onProgress() {},
      onStarted,
    });
  }

  /** Resolves to null when the job was given to another grader. */
  async function play(
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
      const agent = { id, deterministic: true, idleMs: IDLE_SECONDS * 1000, signal };
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
    if (!outcome.ok || outcome.score !== gradeOf(channel.journal))
      broke("the grade is that of the journal", `a replay ends with ${JSON.stringify(outcome)}`);
    return outcome;
  }
}

/** Takes the grade of a session whose episodes are over. */
async function outcomeOf(session: Session): Promise<Outcome> {
  const finished = await session.finish();
  const nothing = { score_secondary: null, message: null, data: null, media: null, evaluator_version: "" };
  if (finished.kind === "rejected")
    return { ok: false, code: "rejected", message: finished.message, evaluator_version: "" };
  const log = { key: "log", name: STEP_LOG, size: 1, sha256: "0".repeat(64), type: "application/gzip" };
  return { ok: true, score: finished.result.score!, ...nothing, meta: {}, artifacts: [log] };
}
