import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import type { Logger } from "pino";

/** How a failing disk shows, by the system's error code. */
const DISK_OF_SYSTEM: Record<string, string> = {
  ENOSPC: "is full",
  EDQUOT: "has no quota left",
  EROFS: "is read-only",
  EIO: "reports input/output errors",
  EFBIG: "accepts no larger files",
};
/** How a failing disk shows, by SQLite's primary result code. */
const DISK_OF_SQLITE: Record<number, string> = {
  8: "is read-only",
  10: "reports input/output errors",
  13: "is full",
};
/** SQLite's codes for a damaged file, and for one that is not a database. */
const DAMAGED = new Set([11, 26]);
/** How a failing disk shows in git's messages. */
const DISK_OF_GIT: readonly [RegExp, string][] = [
  [/No space left on device/i, "is full"],
  [/Disk quota exceeded/i, "has no quota left"],
  [/Read-only file system/i, "is read-only"],
  [/Input\/output error/i, "reports input/output errors"],
];
/** How a failing disk of the server shows, by PostgreSQL's code. */
const DISK_OF_POSTGRES: Record<string, string> = {
  "25006": "is read-only",
  "53100": "is full",
  "58030": "reports input/output errors",
};

const MEMORY = "The broker's machine has no memory left";
const FILES = "The broker has no file descriptors left";
const PROCESSES = "The broker's machine starts no more processes";
/** Resources that are used up, by the system's error code. */
const SHORTAGE_OF_SYSTEM: Record<string, string> = {
  EMFILE: FILES,
  ENFILE: "The broker's machine has no file descriptors left",
  ENOMEM: MEMORY,
  ENOBUFS: MEMORY,
  ERR_MEMORY_ALLOCATION_FAILED: MEMORY,
};
/**
 * Resources that are used up, by SQLite's primary result code. Without descriptors, SQLite cannot open a file
 * that was open before.
 */
const SHORTAGE_OF_SQLITE: Record<number, string> = {
  7: MEMORY,
  14: "The broker cannot open its database",
};
/**
 * Resources that are used up, in git's messages. Git's own memory is not among them: it has a limit, which
 * pushed code can reach.
 */
const SHORTAGE_OF_GIT: readonly [RegExp, string][] = [
  [/Too many open files/i, FILES],
  [/Cannot allocate memory/i, MEMORY],
  [/Resource temporarily unavailable/i, PROCESSES],
];
/** Resources of the server that are used up, by PostgreSQL's code. */
const SHORTAGE_OF_POSTGRES: Record<string, string> = {
  "53000": "The database server has no resources left",
  "53200": "The database server has no memory left",
  "53400": "The database server has reached a configured limit",
};

/**
 * A problem of the machine: what a disk or database does ("is full"), or a sentence about what is used up,
 * without its period.
 */
export type MachineProblem = { disk: string } | { shortage: string };

/**
 * Returns the problem of the machine that an error or one of its causes reports; null for any other error.
 */
export function machineProblem(thrown: unknown): MachineProblem | null {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code, errcode, syscall } = error as Error & Record<"code" | "errcode" | "syscall", unknown>;
    const name = String(code);
    // The lowest byte is the primary code.
    const sqlite = typeof errcode === "number" ? errcode & 0xff : 0;
    if (DAMAGED.has(sqlite)) return { disk: "has a damaged database" };
    const disk = DISK_OF_SQLITE[sqlite] ?? DISK_OF_SYSTEM[name] ?? DISK_OF_POSTGRES[name];
    if (disk !== undefined) return { disk };
    const shortage = SHORTAGE_OF_SQLITE[sqlite] ?? SHORTAGE_OF_SYSTEM[name] ?? SHORTAGE_OF_POSTGRES[name];
    if (shortage !== undefined) return { shortage };
    if (name === "EAGAIN" && String(syscall).startsWith("spawn")) return { shortage: PROCESSES };
    if (isOutOfMemory(error)) return { shortage: MEMORY };
  }
  return null;
}

/** Returns whether the runtime could not allocate a buffer. Node.js and Bun word that differently. */
const isOutOfMemory = (error: Error) =>
  error instanceof RangeError && /allocation failed|out of memory/i.test(error.message);

/** Returns the error to report for a problem of the machine in git's messages, or null. */
export function machineErrorOfGit(stderr: string): CrowdaiError | null {
  const named = (table: readonly [RegExp, string][]) => table.find(([pattern]) => pattern.test(stderr))?.[1];
  const [disk, shortage] = [named(DISK_OF_GIT), named(SHORTAGE_OF_GIT)];
  const cause = new Error(stderr.trim());
  if (disk !== undefined) return errorFor({ disk }, cause);
  return shortage === undefined ? null : errorFor({ shortage }, cause);
}

/**
 * Returns the catalog's error for what was thrown: storage_failed when a disk failed, broker_busy when
 * descriptors, memory or processes are used up, else as asCrowdaiError does.
 */
export function asBrokerError(thrown: unknown): CrowdaiError {
  if (thrown instanceof CrowdaiError && thrown.code !== "unexpected") return thrown;
  const problem = machineProblem(thrown);
  return problem === null ? asCrowdaiError(thrown) : errorFor(problem, thrown);
}

/** Logs an error that `asBrokerError` returned for a problem of the machine, and no other. */
export function logMachineError(log: Pick<Logger, "error">, error: CrowdaiError, fields: object = {}): void {
  const { code, cause: err, message } = error;
  if (code === "storage_failed") log.error({ event: "storage_failed", err, ...fields }, message);
  // A broker that is merely busy with requests has no cause.
  if (code === "broker_busy" && err) log.error({ event: "resources_exhausted", err, ...fields }, message);
}

function errorFor(problem: MachineProblem, cause: unknown): CrowdaiError {
  if ("shortage" in problem) return new CrowdaiError("broker_busy", `${problem.shortage}.`, { cause });
  const { disk } = problem;
  return new CrowdaiError("storage_failed", `The broker's disk ${disk}.`, {
    details: { failure: disk },
    cause,
  });
}
