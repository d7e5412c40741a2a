export interface Batches<T> {
  /** Settles with the batch that contains the item. */
  add(item: T): Promise<void>;
  /** Number of items that are waiting or being sent. */
  readonly size: number;
}

interface Waiting<T> {
  item: T;
  sent: () => void;
  failed: (error: unknown) => void;
}

/**
 * Sends items in order, one batch after another. Items added while a batch is being sent form the next batch:
 * many items need few round trips, and a single one is sent immediately.
 */
export function createBatches<T>(options: {
  send: (items: readonly T[]) => Promise<void>;
  /** The most items in a batch. */
  maxItems: number;
  /** A batch is full when it reaches this weight. */
  maxWeight: number;
  weigh: (item: T) => number;
}): Batches<T> {
  const { send, maxItems, maxWeight, weigh } = options;
  const waiting: Waiting<T>[] = [];
  let sending = 0;
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      // Waits for the other items of this tick.
      await Promise.resolve();
      const batch = nextBatch();
      sending = batch.length;
      try {
        await send(batch.map(({ item }) => item));
        for (const { sent } of batch) sent();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
      sending = 0;
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
      return waiting.length + sending;
    },
  };
}
