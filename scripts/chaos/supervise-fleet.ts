import { setTimeout as sleep } from "node:timers/promises";
import type { Daemon } from "../services/daemon.ts";
import type { Fleet } from "./fleet.ts";

const POLL_MS = 10;

/** Starts brokers and graders again that have ended, as whatever looks after a server does. */
export interface Supervision {
  /** How many have been started again. */
  restarts(): number;
  /** Resolves when one more has been started again than at that count. */
  after(restarts: number): Promise<void>;
  end(): void;
}

export function superviseFleet(fleet: Fleet): Supervision {
  let count = 0;
  let isEnded = false;
  async function supervise(daemon: Daemon): Promise<void> {
    while (!isEnded) {
      await sleep(POLL_MS);
      if (isEnded || isRunning(daemon.pid)) continue;
      // One that ends again while it starts is found the next time.
      await daemon.restart().catch(() => {});
      count++;
    }
  }
  for (const daemon of [...fleet.broker, ...fleet.grader]) void supervise(daemon);
  return {
    restarts: () => count,
    async after(restarts) {
      while (count === restarts) await sleep(POLL_MS);
    },
    end() {
      isEnded = true;
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
