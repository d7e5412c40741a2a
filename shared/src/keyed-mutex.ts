import { Mutex } from "async-mutex";

/** A mutex for each key: work with the same key runs one after another, other work side by side. */
export interface KeyedMutex {
  runExclusive<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createKeyedMutex(): KeyedMutex {
  const entries = new Map<string, { mutex: Mutex; users: number }>();
  return {
    async runExclusive(key, work) {
      const entry = entries.get(key) ?? { mutex: new Mutex(), users: 0 };
      entries.set(key, entry);
      entry.users++;
      try {
        return await entry.mutex.runExclusive(work);
      } finally {
        if (--entry.users === 0) entries.delete(key);
      }
    },
  };
}
