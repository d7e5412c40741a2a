/** Lets one holder in at a time, in the order of asking. */
export interface Mutex {
  take(): Promise<void>;
  /** Hands the turn to the next. */
  give(): void;
  /** How many wait. */
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
