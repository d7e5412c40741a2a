import fs from "node:fs";
import { promisify } from "node:util";

/** Brings what was written to a log to the disk, while other work goes on. */
export interface LogSync {
  /** Records that the log has grown. */
  grown(): void;
  /**
   * Resolves when everything that the log contains now is on disk; null when it is already. Rejects once the
   * disk has failed, and then always: the kernel may have dropped what could not be written, and would report
   * no error the next time.
   */
  settle(): Promise<void> | null;
  /** Resolves with the error when the disk has failed. */
  readonly failed: Promise<Error>;
}

/**
 * `sync` brings the log to the disk as it is when called. Runs one at a time; those who ask meanwhile share
 * the next.
 */
export function createLogSync(sync: () => Promise<void>): LogSync {
  let hasGrown = false;
  /** Stays when it has failed, so that its error is everyone's from then on. */
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();

  function start(): Promise<void> {
    hasGrown = false;
    next = null;
    running = sync().then(() => {
      running = null;
    });
    running.catch(fail);
    return running;
  }

  return {
    grown() {
      hasGrown = true;
    },
    settle() {
      if (!hasGrown) return running;
      if (!running) return start();
      next ??= running.then(start);
      return next;
    },
    failed,
  };
}

/** The log of a SQLite database in write-ahead mode. It exists as long as the database is open. */
export interface DatabaseLog extends LogSync {
  /** Brings all of it to the disk before it returns, for the end of a program. */
  close(): void;
}

export type Disk = Pick<typeof fs, "openSync" | "closeSync" | "fdatasyncSync"> & {
  fdatasync(descriptor: number, done: (error: Error | null) => void): void;
};

export function openDatabaseLog(file: string, disk: Disk = fs): DatabaseLog {
  const sync = promisify(disk.fdatasync);
  let descriptor: number | null = null;
  let syncing = Promise.resolve();
  let hasFailed = false;
  const log = createLogSync(async () => {
    // The first commit created it. To close another descriptor of it releases no lock: SQLite's are on other
    // files.
    descriptor ??= disk.openSync(`${file}-wal`, "r+");
    syncing = sync(descriptor);
    return syncing;
  });
  log.failed.then(() => {
    hasFailed = true;
  });
  return {
    ...log,
    close() {
      if (descriptor === null) return;
      const open = descriptor;
      // After a failure, SQLite writes to the database itself what could not be written here, when it closes
      // it.
      if (!hasFailed) disk.fdatasyncSync(open);
      // Not below a sync that is under way.
      syncing.catch(() => {}).finally(() => disk.closeSync(open));
    },
  };
}
