/** Values by their names, of which the least recently used are dropped. */
export interface BoundedMemory<T> {
  get(name: string): T | undefined;
  /** Keeps a value of this many bytes. One that is larger than all of the memory is not kept. */
  set(name: string, value: T, bytes: number): void;
  delete(name: string): void;
  clear(): void;
  /** How much is kept, with the names. */
  readonly bytes: number;
}

/** Names and values of a map cost this much beside their own bytes. */
const ENTRY_BYTES = 200;

/** Creates a memory that keeps at most `maxBytes`. */
export function createBoundedMemory<T>(maxBytes: number): BoundedMemory<T> {
  // In the order of their last use.
  const known = new Map<string, { value: T; bytes: number }>();
  let kept = 0;

  function remove(name: string): void {
    kept -= known.get(name)?.bytes ?? 0;
    known.delete(name);
  }

  return {
    get(name) {
      const found = known.get(name);
      if (!found) return undefined;
      known.delete(name);
      known.set(name, found);
      return found.value;
    },
    set(name, value, bytes) {
      remove(name);
      const whole = bytes + 2 * name.length + ENTRY_BYTES;
      if (whole > maxBytes) return;
      known.set(name, { value, bytes: whole });
      kept += whole;
      for (const oldest of known.keys()) {
        if (kept <= maxBytes) return;
        remove(oldest);
      }
    },
    delete: remove,
    clear() {
      known.clear();
      kept = 0;
    },
    get bytes() {
      return kept;
    },
  };
}
