import type { Outcome, Report } from "@crowdai/shared";
import type { Lease, SimulatedQueue } from "./simulated-queue.ts";
import type { Program, World } from "./world.ts";

const CRASHED: Outcome = {
  ok: false,
  code: "evaluator_crashed",
  message: "it crashed",
  evaluator_version: "1",
};

/**
 * Returns the evaluator's outcome for a value: its own number as the score, sometimes a refusal, or a failure
 * of the evaluator.
 */
export function outcomeOf(value: number): Outcome {
  const evaluator_version = "1";
  if (value % 7 === 3) return { ok: false, code: "rejected", message: "not a good one", evaluator_version };
  if (value % 7 === 5) return CRASHED;
  const nothing = { score_secondary: null, message: null, data: null, media: null };
  return { ok: true, score: value, ...nothing, meta: {}, artifacts: [], evaluator_version };
}

export const deliveryName = (attempt: number, delivery: number): string => `${attempt}.${delivery}`;

/** Takes one job after another. Now and then it returns one. */
export async function runSimulatedGrader(
  world: World,
  program: Program,
  queue: SimulatedQueue,
): Promise<void> {
  while (program.alive) {
    const lease = await queue.take(program);
    try {
      await grade(lease);
    } catch {
      // Its lease is gone: nothing that it says counts any more.
    }
  }

  async function grade(lease: Lease): Promise<void> {
    const { submission, attempt, input } = lease.job;
    const base = { submission, attempt, delivery: lease.delivery, grader: program.name };
    const send = (report: Report) => queue.report(program, lease, report);
    // A start that is followed at once by its end may be left out.
    if (world.choices.pick(4) !== 3) await send({ ...base, type: "started" });
    if (world.choices.pick(3) === 2) await send({ ...base, type: "progress", percent: 50, message: null });
    if (world.fault("a grader returns its job", 2)) {
      await send({ ...base, type: "released", reason: "the grader was stopped" });
      return queue.release(program, lease);
    }
    const seconds = world.choices.pick(5);
    if (seconds > 0) await new Promise<void>((resolve) => world.after(seconds * 1000, resolve));
    await world.step(program, "has graded");
    // Names the delivery that it comes from, so that one of an earlier delivery is recognized.
    const evaluator_version = deliveryName(attempt, lease.delivery);
    const crashes = lease.job.fair_key === "regrade" && world.choices.pick(8) === 7;
    const outcome = crashes ? CRASHED : outcomeOf((input as { data: number }).data);
    await send({
      ...base,
      type: "finished",
      outcome: { ...outcome, evaluator_version },
      organiser_log: "",
      seconds,
    });
    await queue.acknowledge(program, lease);
  }
}
