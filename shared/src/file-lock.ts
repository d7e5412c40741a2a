import { DatabaseSync } from "node:sqlite";

/**
 * Takes a lock that only one process of this machine can have; null when another has it. It is an open SQLite transaction, which the
 * operating system ends with the process, however that dies: no number in a file that another process may have by now.
 */
export function lockFile(path: string): { release(): void } | null {
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma locking_mode = exclusive; begin exclusive;");
  } catch (error) {
    database.close();
    if (!/lock/i.test((error as Error).message)) throw error;
    return null;
  }
  return { release: () => database.close() };
}
