import type { Environment } from "../../grader/src/environment/environment-process.ts";
import type { Program, World } from "./world.ts";

export const EPISODES = 2;
export const STEPS = 3;
export const IDLE_SECONDS = 120;
export const EPISODE_SECONDS = 300;
const ACTIONS = 5;

/**
 * Returns the reward of a step: it depends on all steps before, so that one that is lost or taken twice
 * changes the next ones.
 */
export function rewardOf(history: readonly number[]): number {
  return history.reduce((sum, action) => (sum * 7 + action + 1) % 101, 1);
}

/** An environment in the memory of its grader: it ends with it. */
export function startSimulatedEnvironment(world: World, program: Program, heard: () => void): Environment {
  let history: number[] = [];
  const observed = () => {
    heard();
    const observation = rewardOf([...history, history.length]) % ACTIONS;
    return { observation, text: String(observation), info: {} };
  };
  return {
    output: "",
    open: async () => ({
      action: { name: "Discrete", n: ACTIONS },
      observation: { name: "Discrete", n: ACTIONS },
    }),
    async reset(_episode, seed) {
      await world.step(program, "resets the environment");
      history = [seed];
      return observed();
    },
    async step(action) {
      await world.step(program, "steps the environment");
      history.push(Number(action));
      return {
        ...observed(),
        reward: rewardOf(history),
        terminated: history.length > STEPS,
        truncated: false,
      };
    },
    close: async () => ({ result: null, rejected: null }),
    stderr: () => "",
    frameRate: () => 1,
    end: async () => {},
  };
}
