import { EventEmitter, once } from "node:events";
import type { Daemon } from "../services/daemon.ts";
import type { Fleet } from "./fleet.ts";

/** Starts brokers and graders again that have ended, as whatever looks after a server does. */
export interface Supervision {
  /** How many have been started again. */
  restarts(): number;
  /** Resolves when one more has been started again than at that count. */
  after(restarts: number): Promise<void>;
  end(): void;
}

export function superviseFleet(fleet: Fleet): Supervision {
  const started = new EventEmitter().setMaxListeners(0);
  let count = 0;
  let isEnded = false;
  async function supervise(daemon: Daemon): Promise<void> {
    for (;;) {
      await daemon.ended();
      if (isEnded) return;
      // One that ends again while it starts is found the next time.
      await daemon.restart().catch(() => {});
      count++;
      started.emit("again");
    }
  }
  for (const daemon of [...fleet.broker, ...fleet.grader]) void supervise(daemon);
  return {
    restarts: () => count,
    async after(restarts) {
      while (count === restarts) await once(started, "again");
    },
    end() {
      isEnded = true;
    },
  };
}
