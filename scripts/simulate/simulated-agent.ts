import { type AgentAnswer, type AgentRequest, CrowdaiError } from "@crowdai/shared";
import type { Caller } from "../../broker/src/domain/participants/api-keys.ts";
import type { RemoteAgents } from "../../broker/src/domain/sessions/remote-agents.ts";
import type { Failures } from "./play-schedule.ts";
import type { SessionPromises } from "./session-promises.ts";
import type { SimulatedBroker } from "./simulated-broker.ts";
import { EPISODES, STEPS } from "./simulated-environment.ts";
import type { Program, World } from "./world.ts";

const WAIT_MS = 20_000;

export interface AgentOptions {
  world: World;
  program: Program;
  caller: Caller;
  /** The submission whose session is played. */
  id: string;
  /** Brokers that run. */
  brokers: () => (SimulatedBroker & { agents: RemoteAgents })[];
  promises: SessionPromises;
  failures: Failures;
}

/** How far an agent came. */
export interface Played {
  /** The sum of the rewards that it saw. */
  sum: number;
  /** Whether it submitted. */
  hasFinished: boolean;
  /** Whether it heard that its session has ended. */
  hasEnded: boolean;
}

/** Plays a session to its end, slowly and impatiently, and now and then leaves it. */
export async function runSimulatedAgent(options: AgentOptions): Promise<Played> {
  const { world, program, caller, id, brokers, promises } = options;
  const { failed, broke } = options.failures;
  const { choices } = world;
  const played: Played = { sum: 0, hasFinished: false, hasEnded: false };
  await play();
  return played;

  async function play(): Promise<void> {
    // An agent that registers its session and never plays.
    if (choices.pick(10) === 9) return;
    for (let episode = 1; episode <= EPISODES; episode++) {
      await expectAnswer({ type: "reset", episode }, "observation");
      for (let n = 1; n <= STEPS; n++) {
        if (choices.pick(40) === 39) return await leave();
        const answer = await expectAnswer({ type: "step", episode, n, action: choices.pick(5) }, "step");
        if (answer?.type === "step") played.sum += answer.reward;
        if (played.hasEnded) return;
      }
    }
    await expectAnswer({ type: "submit" }, "end");
    played.hasFinished = true;
  }

  /** Without a word, or by cancelling. */
  async function leave(): Promise<void> {
    if (choices.pick(2) === 0) return;
    promises.mayBeCancelled = true;
    const { cancel } = await anyBroker("cancels the session");
    void cancel(caller, id).catch((error) => {
      if (!(error instanceof CrowdaiError)) failed(error);
    });
  }

  async function anyBroker(label: string) {
    await world.step(program, label, () => brokers().length > 0);
    const running = brokers();
    return running[choices.pick(running.length)]!;
  }

  async function expectAnswer(request: AgentRequest, type: AgentAnswer["type"]): Promise<AgentAnswer | null> {
    if (choices.pick(12) === 11)
      await new Promise<void>((resolve) => world.after(choices.pick(2) === 1 ? 80_000 : 20_000, resolve));
    const answer = await askUntilAnswered(request);
    if (answer?.type === "observation") {
      promises.hasObserved = true;
      if (!promises.isReported)
        broke("charged at the first answered reset", "a reset was answered, and no start reported");
    }
    if (answer === null || answer.type === type) return answer;
    // Whether that is right is checked with the verdict.
    if (answer.type === "error" && ["session_abandoned", "agent_timeout"].includes(answer.code)) {
      played.hasEnded = true;
      return null;
    }
    broke("no answered step is lost", `${JSON.stringify(request)} was answered by ${JSON.stringify(answer)}`);
    return null;
  }

  /** Null where the session has ended. */
  async function askUntilAnswered(request: AgentRequest): Promise<AgentAnswer | null> {
    // Two at once, as after a lost connection.
    if (choices.pick(8) === 7) void ask(request);
    while (!played.hasEnded) {
      const answer = await ask(request);
      if (answer !== null && !world.fault("an answer is lost", 5)) return answer;
    }
    return null;
  }

  async function ask(request: AgentRequest): Promise<AgentAnswer | null> {
    const broker = await anyBroker(`asks for ${request.type}`);
    const gone = new AbortController();
    if (world.fault("the agent is interrupted", 5)) world.after(choices.pick(3) * 500, () => gone.abort());
    const crashed = new Promise<null>((resolve) => broker.program.onCrash.push(() => resolve(null)));
    const answer = broker.agents.ask(caller, id, request, WAIT_MS, gone.signal).catch((error) => {
      if (!(error instanceof CrowdaiError)) failed(error);
      else if (error.code !== "interrupted") {
        played.hasEnded = true;
        const state = promises.row()?.state;
        if (state !== "failed" && state !== "cancelled")
          broke("the right end", `the agent hears ${error.code} while its session is ${state}`);
      }
      return null;
    });
    return Promise.race([answer, crashed]);
  }
}
