import { CrowdaiError, type Intent } from "@crowdai/shared";
import type { Caller } from "../../broker/src/domain/participants/api-keys.ts";
import type { Promises } from "./promises.ts";
import type { SimulatedBroker } from "./simulated-broker.ts";
import { Away } from "./simulated-queue.ts";
import type { Program, World } from "./world.ts";

const PATIENCE_MS = 5000;

export interface ClientOptions {
  world: World;
  program: Program;
  caller: Caller;
  intent: Intent;
  /** Brokers that run. */
  brokers: () => SimulatedBroker[];
  promises: Promises;
  /** Called before it cancels. */
  cancels?: () => void;
}

/** Submits until it has a receipt or a refusal, as the command line does, and now and then cancels. */
export async function runSimulatedClient(options: ClientOptions): Promise<void> {
  const { world, program, caller, intent, brokers, promises } = options;
  /** Messages that may still be registered. */
  const unanswered = new Set<object>();
  await world.step(program, "decides to submit");
  // Two at once, as after a lost connection.
  const isTwice = world.choices.pick(8) === 7;
  if (isTwice) void attempt();
  while (!(await attempt()));
  if (world.choices.pick(6) !== 5) return;
  await world.step(program, "decides to cancel");
  const broker = await anyBroker();
  options.cancels?.();
  const cancelled = broker.cancel(caller, intent.id).catch((error) => {
    if (!(error instanceof CrowdaiError) && !(error instanceof Away)) throw error;
  });
  await Promise.race([cancelled, patience()]);

  function patience(): Promise<null> {
    return new Promise((resolve) => world.after(PATIENCE_MS, () => resolve(null)));
  }

  async function anyBroker(): Promise<SimulatedBroker> {
    await world.step(program, "connects", () => brokers().length > 0);
    const running = brokers();
    return running[world.choices.pick(running.length)]!;
  }

  /** False where no answer came. */
  async function attempt(): Promise<boolean> {
    const broker = await anyBroker();
    const message = {};
    unanswered.add(message);
    const end = () => void unanswered.delete(message);
    broker.program.onCrash.push(end);
    const answered = broker.submit(caller, intent).then(
      () => "receipt" as const,
      (error) => {
        if (error instanceof CrowdaiError) return "refusal" as const;
        throw error;
      },
    );
    const answer = await Promise.race([answered, patience()]);
    if (answer !== null) end();
    else void answered.then(end);
    if (answer === null || world.fault("an answer is lost", 5)) return false;
    if (answer === "receipt") promises.acknowledged(intent.id);
    // Another message of the same submission may yet be registered.
    else if (!isTwice && unanswered.size === 0) promises.refused(intent.id);
    return true;
  }
}
