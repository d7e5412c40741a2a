import { createBoundedMemory } from "../base/bounded-memory.ts";
import type { Records } from "./records.ts";

const MAX_BYTES = 32 * 1024 * 1024;
/** Objects and strings take about this much more than their JSON text. */
const PER_CHARACTER = 3;

/**
 * Returns what `read` returns, which may be shared with other callers: it must be JSON, and must not be
 * changed. `about` is an object that the read depends on, by its identity, and `of` all other values that it
 * depends on, besides the records.
 */
export type Remember = <T>(about: object, of: readonly unknown[], read: () => Promise<T>) => Promise<T>;

/**
 * Returns a function to be called once for each request. What is read through it is read again after any
 * change to the records, whichever process made it: requests between two changes share one read, and none
 * gets what was outdated when it came.
 */
export function createReadMemory(
  records: () => Pick<Records, "state">,
  maxBytes = MAX_BYTES,
): () => Promise<Remember> {
  const known = createBoundedMemory<{ value: unknown }>(maxBytes);
  const running = new Map<string, Promise<unknown>>();
  const ids = new WeakMap<object, number>();
  let objects = 0;
  let latest = "";

  function idOf(about: object): number {
    const id = ids.get(about) ?? ++objects;
    ids.set(about, id);
    return id;
  }

  async function readAndKeep(name: string, read: () => Promise<unknown>): Promise<unknown> {
    try {
      const value = await read();
      known.set(name, { value }, PER_CHARACTER * (JSON.stringify(value)?.length ?? 0));
      return value;
    } finally {
      running.delete(name);
    }
  }

  return async () => {
    // Before everything that is read: what changes meanwhile has another state, and is never found under this
    // one.
    const state = await records().state();
    if (state !== latest) known.clear();
    latest = state;
    return async <T>(about: object, of: readonly unknown[], read: () => Promise<T>) => {
      const name = JSON.stringify([state, idOf(about), ...of]);
      const found = known.get(name);
      if (found) return found.value as T;
      let reading = running.get(name);
      if (!reading) {
        reading = readAndKeep(name, read);
        running.set(name, reading);
      }
      return (await reading) as T;
    };
  };
}
