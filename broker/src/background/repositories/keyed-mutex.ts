/** Work under one name is done one after the other; under different names side by side. */
export interface KeyedMutex {
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createKeyedMutex(): KeyedMutex {
  const last = new Map<string, Promise<unknown>>();
  return {
    take(name, work) {
      const before = last.get(name) ?? Promise.resolve();
      const mine = before.then(work, work);
      const done = mine.catch(() => {}).finally(() => last.get(name) === done && last.delete(name));
      last.set(name, done);
      return mine;
    },
  };
}
