/** Admits one holder at a time, in the order of requests. */
export interface Mutex {
  take(): Promise<void>;
  /** Passes the mutex to the next holder. */
  give(): void;
  /** Number of waiting requests. */
  readonly waiting: number;
}

export function createMutex(): Mutex {
  const queue: (() => void)[] = [];
  let taken = false;
  return {
    async take() {
      if (taken) await new Promise<void>((go) => queue.push(go));
      taken = true;
    },
    give() {
      const go = queue.shift();
      if (go) go();
      else taken = false;
    },
    get waiting() {
      return queue.length;
    },
  };
}
