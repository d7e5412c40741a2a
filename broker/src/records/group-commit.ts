import { Mutex } from "async-mutex";

/** Maximum time that a transaction waits for others to share its commit. */
const MAX_OPEN_MS = 20;
const MAX_MEMBERS = 128;

/**
 * Lets concurrent transactions share one commit, and so one disk write. They run one after another, each in
 * its own savepoint of the open group, and see what earlier ones in the group wrote.
 */
export interface GroupCommit {
  /** Waits for exclusive write access, and begins a transaction. */
  begin(): Promise<void>;
  /**
   * Releases write access. Resolves when the group is on disk; rejects for every member when it could not be
   * written.
   */
  commit(): Promise<void>;
  /** Rolls back this transaction alone. */
  rollback(): Promise<void>;
  /** Commits what is open. No transaction may begin afterwards. */
  close(): void;
}

/** `run` executes a statement synchronously and throws when it fails. `now` is in milliseconds. */
export function createGroupCommit(run: (sql: string) => void, now = () => performance.now()): GroupCommit {
  const mutex = new Mutex();
  /** Transactions that wait to begin. */
  let waiting = 0;
  let members: PromiseWithResolvers<void>[] | null = null;
  let opened = 0;

  function next(): void {
    const full = members && (members.length >= MAX_MEMBERS || now() - opened > MAX_OPEN_MS);
    // Waits for no one: the group ends with the last transaction that is ready.
    if (members && (full || waiting === 0)) write(members);
    mutex.release();
  }

  function write(group: PromiseWithResolvers<void>[]): void {
    members = null;
    try {
      run("commit");
    } catch (error) {
      failGroup(group, error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  function failGroup(group: PromiseWithResolvers<void>[], error: unknown): void {
    try {
      run("rollback");
    } catch {
      // The database has already rolled back, as it does when the disk is full.
    }
    for (const { reject } of group) reject(error);
  }

  /** Rolls back a whole group whose savepoints are in doubt: none of its members was acknowledged yet. */
  function orRollBackAll(work: () => void): void {
    try {
      work();
    } catch (error) {
      const group = members ?? [];
      members = null;
      failGroup(group, error);
      next();
      throw error;
    }
  }

  return {
    async begin() {
      waiting++;
      await mutex.acquire();
      waiting--;
      if (!members) {
        try {
          // IMMEDIATE takes the write lock at once: a transaction that first reads and then writes cannot
          // fail midway.
          run("begin immediate");
        } catch (error) {
          next();
          throw error;
        }
        members = [];
        opened = now();
      }
      orRollBackAll(() => run("savepoint member"));
    },

    async commit() {
      orRollBackAll(() => run("release member"));
      const mine = Promise.withResolvers<void>();
      // Where the group has ended, there was no savepoint to release.
      members!.push(mine);
      next();
      await mine.promise;
    },

    async rollback() {
      orRollBackAll(() => {
        run("rollback to member");
        run("release member");
      });
      next();
    },

    close() {
      if (members) write(members);
    },
  };
}
