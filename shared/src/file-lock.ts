import { DatabaseSync } from "node:sqlite";

/**
 * Acquires a lock that only one process of this machine can hold; null when another holds it. The lock is an
 * open SQLite transaction, which ends with the process, however that dies. A process id in a file could
 * belong to another process by now.
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
