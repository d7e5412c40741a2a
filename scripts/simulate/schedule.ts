import { CrowdaiError, type Intent, intentSchema } from "@crowdai/shared";
import type { Caller } from "../../broker/src/domain/participants/api-keys.ts";
import type { Choices } from "./choices.ts";
import type { PlantedFault } from "./planted/planted-fault.ts";
import { BEGIN, type Ended, playSchedule, RESTART_MS } from "./play-schedule.ts";
import { createPromises } from "./promises.ts";
import { CHALLENGE, type SimulatedBroker, startSimulatedBroker } from "./simulated-broker.ts";
import { runSimulatedClient } from "./simulated-client.ts";
import { runSimulatedGrader } from "./simulated-grader.ts";
import { createSimulatedQueue } from "./simulated-queue.ts";
import { type Database, recordsFor } from "./simulated-records.ts";

/** How large a schedule is. */
interface Size {
  brokers: number;
  graders: number;
  participants: number;
  submissions: number;
}

/** Runs one schedule to its end, or to the first broken promise. A fault must have been planted before. */
export function runSchedule(
  database: Database,
  choices: Choices,
  planted: PlantedFault | null = null,
): Promise<Ended> {
  return playSchedule(database, choices, async (world, { failed, guarded, throwFirst }) => {
    const size: Size = {
      brokers: 1 + choices.pick(2),
      graders: 1 + choices.pick(2),
      participants: 1 + choices.pick(2),
      submissions: 1 + choices.pick(3),
    };
    const callers = callersOf(size.participants);
    database.begin(
      callers.map(({ name }) => name),
      new Date(BEGIN).toISOString(),
    );
    const promises = createPromises(database.sqlite);
    database.committed = guarded(promises.checkCommit);
    const queue = createSimulatedQueue(world);
    const brokers: SimulatedBroker[] = [];

    const startBroker = (name: string) => {
      const program = world.start(name);
      const broker = startSimulatedBroker({
        world,
        program,
        records: recordsFor(database, world, program),
        queue,
        announced: guarded(promises.announced),
        failed,
        receive: planted?.receive
          ? (report) => planted.receive!(database.sqlite, report)
          : (report) => report,
      });
      brokers.push(broker);
      program.onCrash.push(() => {
        brokers.splice(brokers.indexOf(broker), 1);
        world.after(RESTART_MS, () => startBroker(name));
      });
    };
    const startGrader = (name: string) => {
      const program = world.start(name);
      program.onCrash.push(() => world.after(RESTART_MS, () => startGrader(name)));
      runSimulatedGrader(world, program, queue).catch(failed);
    };
    for (let n = 1; n <= size.brokers; n++) startBroker(`broker ${n}`);
    for (let n = 1; n <= size.graders; n++) startGrader(`grader ${n}`);

    let working = size.submissions;
    for (let n = 1; n <= size.submissions; n++) {
      const program = world.start(`client ${n}`, { mortal: false });
      const caller = callers[choices.pick(callers.length)]!;
      const intent = intentOf(n, choices.pick(7) + 7 * n);
      runSimulatedClient({ world, program, caller, intent, brokers: () => brokers, promises })
        .catch(failed)
        .finally(() => {
          working--;
        });
    }
    if (choices.pick(3) === 2)
      world.after(1000 * choices.pick(20), () => {
        void brokers[0]?.regrade().catch(refusedOr(failed));
        if (choices.pick(2) === 1) queue.flushAtRegrade();
      });
    if (choices.pick(4) === 3)
      world.after(1000 * choices.pick(20), () => void decide(participantName(1)).catch(refusedOr(failed)));
    for (const upset of [queue.flush, queue.expireLease, queue.loseJob])
      if (choices.pick(4) === 3) world.after(100 * choices.pick(100), upset);
    await world.run(() => {
      throwFirst();
      return working === 0 && promises.isQuiet() && queue.isIdle();
    });
    promises.checkEnd();

    /** An organizer disqualifies a participant, and may reinstate them later. */
    async function decide(name: string): Promise<void> {
      await brokers[0]?.disqualify(name);
      if (choices.pick(2) === 1)
        world.after(1000 * choices.pick(20), () => void brokers[0]?.reinstate(name).catch(refusedOr(failed)));
    }
  });
}

const refusedOr = (failed: (error: unknown) => void) => (error: unknown) => {
  if (!(error instanceof CrowdaiError)) failed(error);
};

const participantName = (id: number): string => `participant ${id}`;

const callersOf = (count: number): Caller[] =>
  Array.from({ length: count }, (_, at) => {
    return { kind: "participant", id: at + 1, name: participantName(at + 1), keyHash: "" };
  });

const intentOf = (n: number, value: number): Intent =>
  intentSchema.parse({
    id: `01HZZZZZZZZZZZZZZZZZZZZZ${String(n).padStart(2, "0")}`,
    challenge: CHALLENGE,
    input: { kind: "inline", data: value },
  });
