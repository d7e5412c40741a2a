import { createMutex } from "./mutex.ts";

/** A bound on how long a transaction waits for others to share its commit. */
const LONGEST_MS = 20;
const MAX_MEMBERS = 128;

/**
 * Lets transactions that come at the same time share one commit, and so one wait for the disk. They run one after another, each
 * a savepoint of its own in the open group, and see what the earlier ones of the group wrote.
 */
export interface GroupCommit {
  /** Waits for the turn to write, and begins a transaction. */
  begin(): Promise<void>;
  /** Gives the turn away. Resolves when the group is on disk; rejects when it could not be written, for every member alike. */
  commit(): Promise<void>;
  /** Undoes this transaction alone. */
  rollback(): Promise<void>;
  /** Writes what is open. Nothing may begin afterwards. */
  close(): void;
}

/** `run` executes a statement at once and throws when it fails. */
export function createGroupCommit(run: (sql: string) => void): GroupCommit {
  const mutex = createMutex();
  let members: PromiseWithResolvers<void>[] | null = null;
  let opened = 0;

  function next(): void {
    const full = members && (members.length >= MAX_MEMBERS || performance.now() - opened > LONGEST_MS);
    // Nobody is waited for: the group ends with the last one that is there.
    if (members && (full || mutex.waiting === 0)) write();
    mutex.give();
  }

  function write(): void {
    const group = members ?? [];
    members = null;
    try {
      run("commit");
    } catch (error) {
      giveUp(group, error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  function giveUp(group: PromiseWithResolvers<void>[], error: unknown): void {
    try {
      run("rollback");
    } catch {
      // The database did it already, as it does when the disk is full.
    }
    for (const { reject } of group) reject(error);
  }

  /** A group whose savepoints are in doubt is undone as a whole: nobody was told yet that it is kept. */
  function orUndoAll(work: () => void): void {
    try {
      work();
    } catch (error) {
      const group = members ?? [];
      members = null;
      giveUp(group, error);
      next();
      throw error;
    }
  }

  return {
    async begin() {
      await mutex.take();
      if (!members) {
        try {
          // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later can then not fail midway.
          run("begin immediate");
        } catch (error) {
          next();
          throw error;
        }
        members = [];
        opened = performance.now();
      }
      orUndoAll(() => run("savepoint member"));
    },

    async commit() {
      orUndoAll(() => run("release member"));
      const mine = Promise.withResolvers<void>();
      members?.push(mine);
      next();
      await mine.promise;
    },

    async rollback() {
      orUndoAll(() => {
        run("rollback to member");
        run("release member");
      });
      next();
    },

    close() {
      if (members) write();
    },
  };
}
