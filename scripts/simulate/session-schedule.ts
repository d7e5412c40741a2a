import { type AgentRequest, intentSchema } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Caller } from "../../broker/src/domain/participants/api-keys.ts";
import { createRemoteAgents, type RemoteAgents } from "../../broker/src/domain/sessions/remote-agents.ts";
import type { Choices } from "./choices.ts";
import type { PlantedFault } from "./planted/planted-fault.ts";
import { BEGIN, type Ended, playSchedule, RESTART_MS } from "./play-schedule.ts";
import { createPromises } from "./promises.ts";
import { createSessionPromises, rewardsOf } from "./session-promises.ts";
import { type Played, runSimulatedAgent } from "./simulated-agent.ts";
import { catalogOf, type SimulatedBroker, startSimulatedBroker } from "./simulated-broker.ts";
import { createSimulatedChannel } from "./simulated-channel.ts";
import { runSimulatedClient } from "./simulated-client.ts";
import { EPISODE_SECONDS, EPISODES, IDLE_SECONDS } from "./simulated-environment.ts";
import { createSimulatedQueue } from "./simulated-queue.ts";
import { type Database, recordsFor } from "./simulated-records.ts";
import { runSimulatedSessionGrader } from "./simulated-session-grader.ts";

const ID = "01HZZZZZZZZZZZZZZZZZZZZZ01";
const SEEDS = [3, 4];
const CALLER: Caller = { kind: "participant", id: 1, name: "participant 1", keyHash: "" };

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

/**
 * Runs one session of a remote agent: it is registered, queued and taken like any submission. Requests go
 * over any broker and a step channel to the grader that holds the session, whose journal another one
 * continues. The product's own code does all that brokers do, plays the session and judges the requests.
 */
export function runSessionSchedule(
  database: Database,
  choices: Choices,
  planted: PlantedFault | null = null,
): Promise<Ended> {
  return playSchedule(database, choices, async (world, failures) => {
    const { failed, broke, guarded, throwFirst } = failures;
    const session = createSessionPromises(world, () => channel.journal, broke);
    const channel = createSimulatedChannel(world, {
      heard: session.heard,
      recorded: () => session.recorded(channel.journal),
    });
    const queue = createSimulatedQueue(world);
    database.begin([CALLER.name], new Date(BEGIN).toISOString());
    const promises = createPromises(database.sqlite, session.verdicts);
    database.committed = guarded(promises.checkCommit);
    const brokers: (SimulatedBroker & { agents: RemoteAgents })[] = [];

    function startBroker(name: string): void {
      const program = world.start(name);
      const simulated = startSimulatedBroker({
        ...{ world, program, queue, failed, catalog, seeds: SEEDS, intervals: INTERVALS },
        records: recordsFor(database, world, program),
        announced: guarded((events) => {
          promises.announced(events);
          agents.heard(events);
        }),
        receive: planted?.receive
          ? (report) => planted.receive!(database.sqlite, report)
          : (report) => report,
      });
      const steps = {
        ask: (_id: string, request: AgentRequest, signal: AbortSignal) =>
          channel.ask(program, request, signal),
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
      const played = { id: ID, config, seeds: SEEDS };
      void runSimulatedSessionGrader({
        ...{ world, program, queue, channel, promises: session, broke, session: played },
      }).catch(failed);
    }

    for (let n = choices.pick(2); n >= 0; n--) startBroker(`broker ${n + 1}`);
    for (let n = choices.pick(2); n >= 0; n--) startGrader(`grader ${n + 1}`);
    const agent = world.start("agent", { mortal: false });
    let isClientDone = false;
    let played: Played | null = null;
    const intent = intentSchema.parse({ id: ID, challenge: config.id, input: { kind: "session" } });
    const common = { world, program: agent, caller: CALLER, brokers: () => brokers };
    const cancels = () => {
      session.mayBeCancelled = true;
    };
    void runSimulatedClient({ ...common, intent, promises, cancels })
      .then(() => runSimulatedAgent({ ...common, id: ID, promises: session, failures }))
      .then((end) => {
        played = end;
      })
      .catch(failed)
      .finally(() => {
        isClientDone = true;
      });
    for (const upset of [queue.flush, queue.loseJob])
      if (choices.pick(6) === 5)
        world.after(100 * choices.pick(200), () => {
          session.mayBeOverdue = true;
          upset();
        });
    const isQuiet = () => {
      throwFirst();
      return isClientDone && promises.isQuiet() && queue.isIdle();
    };
    await world.run(isQuiet);
    promises.checkEnd();
    if (session.row()?.state === "graded") {
      checkRewards(played);
      if (choices.pick(3) === 2) await regrade();
    }
    throwFirst();

    /** The agent saw the rewards that count. */
    function checkRewards(played: Played | null): void {
      if (!played?.hasFinished || played.hasEnded) return;
      const recorded = rewardsOf(channel.journal);
      if (recorded !== played.sum)
        broke("no answered step is lost", `the agent saw ${played.sum}, the journal has ${recorded}`);
    }

    async function regrade(): Promise<void> {
      let isStarted = false;
      const start = async () => {
        await world.step(agent, "an organizer regrades", () => brokers.length > 0);
        const broker = brokers[0]!;
        broker.program.onCrash.push(() => {
          isStarted = true;
        });
        await broker.regrade();
        isStarted = true;
      };
      void start().catch(failed);
      await world.run(() => isQuiet() && isStarted);
    }
  });
}
