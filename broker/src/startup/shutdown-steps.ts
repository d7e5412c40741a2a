import type { Logger } from "pino";

export interface ShutdownSteps {
  add(name: string, release: () => unknown): void;
  /** Runs the steps in reverse order, each one even if another fails; harmless to repeat. */
  release(): Promise<void>;
}

export function createShutdownSteps(log: Logger): ShutdownSteps {
  const held: { name: string; release: () => unknown }[] = [];
  return {
    add: (name, release) => held.push({ name, release }),
    async release() {
      for (let next = held.pop(); next; next = held.pop())
        try {
          await next.release();
        } catch (error) {
          log.error({ event: "shutdown_step_failed", err: error, part: next.name }, "shutdown step failed");
        }
    },
  };
}
