import { setTimeout as sleep } from "node:timers/promises";
import type { Challenge } from "../../cli/src/index.ts";
import { percentile } from "./flatness.ts";

const AT_ONCE = 16;
/** More that are not graded yet would take hours to end: then submissions are left out. */
const MAX_WAITING = 100;

/** Submissions through a few sessions, one after another or at a rate. */
export interface Load {
  /** Submits as fast as they are graded for a while. Returns how many a second that was. */
  measureCapacity(seconds: number): Promise<number>;
  /** Submits at a rate until the signal is aborted. */
  run(perSecond: number, signal: AbortSignal): Promise<void>;
  /** Returns the 99th percentile since the last call, in milliseconds from the submission to its grade. */
  takeP99(): number;
  readonly graded: number;
  readonly failed: readonly string[];
  /** Submissions that were left out because the fleet could not keep up. */
  readonly leftOut: number;
}

export function createLoad(sessions: readonly Challenge[]): Load {
  let count = 0;
  let graded = 0;
  let leftOut = 0;
  let times: number[] = [];
  const failed: string[] = [];

  async function submit(): Promise<void> {
    const number = count++;
    const session = sessions[number % sessions.length]!;
    const began = performance.now();
    try {
      await session.submitValue({ score: (number % 1000) / 1000, seconds: 0.005 });
      times.push(performance.now() - began);
      graded++;
    } catch (error) {
      failed.push(String(error));
    }
  }

  return {
    async measureCapacity(seconds) {
      const [began, before] = [performance.now(), graded];
      const isOver = () => performance.now() - began > seconds * 1000;
      const inTurn = async () => {
        while (!isOver()) await submit();
      };
      await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
      return (graded - before) / ((performance.now() - began) / 1000);
    },
    async run(perSecond, signal) {
      const running = new Set<Promise<void>>();
      for (let next = performance.now(); !signal.aborted; next += 1000 / perSecond) {
        await sleep(Math.max(0, next - performance.now()));
        if (running.size >= MAX_WAITING) {
          leftOut++;
          continue;
        }
        const one = submit().finally(() => running.delete(one));
        running.add(one);
      }
      await Promise.all(running);
    },
    takeP99() {
      const p99 = percentile(times, 0.99);
      times = [];
      return p99;
    },
    get graded() {
      return graded;
    },
    get leftOut() {
      return leftOut;
    },
    failed,
  };
}
