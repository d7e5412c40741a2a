export interface Batches<T> {
  /** Settles with the batch that the item went in. */
  add(item: T): Promise<void>;
  /** How many wait or are on their way. */
  readonly size: number;
}

interface Waiting<T> {
  item: T;
  sent: () => void;
  failed: (error: unknown) => void;
}

/**
 * Sends items in their order, one batch after another: what comes while one is on its way goes with the next, so that
 * many at once cost few round trips, and one alone goes at once.
 */
export function createBatches<T>(options: {
  send: (items: readonly T[]) => Promise<void>;
  /** Most items of a batch. */
  maxItems: number;
  /** A batch ends with the item that brings it to this weight. */
  maxWeight: number;
  weigh: (item: T) => number;
}): Batches<T> {
  const { send, maxItems, maxWeight, weigh } = options;
  const waiting: Waiting<T>[] = [];
  let onItsWay = 0;
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      // Not before the others of this tick have come.
      await Promise.resolve();
      const batch = nextBatch();
      onItsWay = batch.length;
      try {
        await send(batch.map(({ item }) => item));
        for (const { sent } of batch) sent();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
      onItsWay = 0;
    }
    busy = false;
  }

  function nextBatch(): Waiting<T>[] {
    let weight = 0;
    let count = 0;
    while (count < waiting.length && count < maxItems && weight < maxWeight)
      weight += weigh(waiting[count++]!.item);
    return waiting.splice(0, count);
  }

  return {
    add(item) {
      return new Promise((sent, failed) => {
        waiting.push({ item, sent, failed });
        if (!busy) void work();
      });
    },
    get size() {
      return waiting.length + onItsWay;
    },
  };
}
