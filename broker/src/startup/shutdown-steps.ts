import type { Logger } from "pino";

export interface ShutdownSteps {
  add(name: string, release: () => unknown): void;
  /** Releases in reverse order of acquisition, each step even if one fails; harmless to repeat. */
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
          log.error({ err: error, part: next.name }, "did not close cleanly");
        }
    },
  };
}
