import { execFile } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import type { Daemon } from "../services/daemon.ts";
import type { Service } from "../services/service.ts";
import type { Fault, Part } from "./fault-plan.ts";
import { type Fleet, OLDER_THAN_RECORDS } from "./fleet.ts";

const run = promisify(execFile);
const RESTART_TIMEOUT_MS = 120_000;
const FILLER = Buffer.alloc(256 * 1024);

export interface Faults {
  /** The faults that were injected: one on a part that is down already waits until it is up. */
  readonly done: readonly Fault[];
  /** Resolves when the last fault is undone. */
  readonly over: Promise<void>;
}

/** Carries a plan out. Faults of one part follow one another, those of different parts overlap. */
export function injectFaults(plan: readonly Fault[], fleet: Fleet, say: (line: string) => void): Faults {
  const done: Fault[] = [];
  const began = performance.now();
  const lines = new Map<string, Promise<void>>();
  for (const fault of plan) {
    // Of two servers that replicate one another, the one must run while the other is down.
    const key = fault.part === "redis" ? "redis" : `${fault.part} ${fault.index}`;
    const before = lines.get(key) ?? Promise.resolve();
    lines.set(
      key,
      before.then(async () => {
        await sleep(Math.max(0, began + fault.at - performance.now()));
        const at = ((performance.now() - began) / 1000).toFixed(1);
        say(`${at.padStart(6)} s  ${fault.kind} ${fault.part} ${fault.index + 1} for ${fault.holdMs} ms`);
        await injectFault(fleet, fault);
        done.push(fault);
      }),
    );
  }
  return { done, over: Promise.all(lines.values()).then(() => {}) };
}

async function injectFault(fleet: Fleet, { kind, part, index, holdMs }: Fault): Promise<void> {
  if (part === "wire") return fleet.cutClients(holdMs);
  // Redis may be away, and the second command ends its own connection too.
  if (kind === "flush") return void (await fleet.redisCommand("FLUSHALL").catch(() => {}));
  if (kind === "cut") {
    if (part === "redis")
      return void (await fleet.redisCommand("CLIENT", "KILL", "TYPE", "normal").catch(() => {}));
    return endConnections(fleet.postgres[0]!.url);
  }
  if (kind === "read-only") return makeReadOnly(fleet.postgres[0]!.url, holdMs);
  const replace = () => fleet.upgrade(part, index);
  if (kind === "upgrade") replace();
  const daemon = kind === "failover" ? await fleet.redisMaster() : fleet[part][index]!;
  if (kind === "fill") return fillDisk(`/proc/${daemon.pid}/root${fleet.smallDisk?.folder}`, holdMs);
  if (kind === "starve") {
    await starve(daemon.pid);
    await sleep(holdMs);
    await daemon.kill("SIGKILL");
    return supervise(daemon, replace);
  }
  if (kind === "freeze") {
    const pids = await processTreeOf(daemon, part);
    signal(pids, "SIGSTOP");
    await sleep(holdMs);
    signal(pids, "SIGCONT");
    return;
  }
  if (kind === "kill" || kind === "failover") await daemon.kill("SIGKILL");
  else await daemon.stop();
  await sleep(holdMs);
  await supervise(daemon, replace);
}

/**
 * Starts it again, as whatever looks after a server does: until what it needs is there too. A broker that is
 * older than the records, as a newer one has migrated them, is replaced.
 */
async function supervise(daemon: Daemon, replace: () => void): Promise<void> {
  for (const end = performance.now() + RESTART_TIMEOUT_MS; ; )
    try {
      return await daemon.restart();
    } catch (error) {
      if (OLDER_THAN_RECORDS.test((error as Error).message)) replace();
      else if (performance.now() > end) throw error;
    }
}

/** A frozen machine freezes whole: PostgreSQL's own children, and a grader's evaluators, with it. */
async function processTreeOf(daemon: Daemon, part: Part): Promise<number[]> {
  if (part === "swift") return [...(daemon as Service).pids];
  if (part !== "postgres" && part !== "grader") return [daemon.pid];
  const { stdout } = await run("pgrep", ["-P", String(daemon.pid)]).catch(() => ({ stdout: "" }));
  return [daemon.pid, ...stdout.split("\n").filter(Boolean).map(Number)];
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, name);
    } catch {
      // It ended meanwhile.
    }
}

function endConnections(url: string): Promise<void> {
  return query(
    url,
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
  );
}

/**
 * As a standby is, or a server whose administrator stops writes for a while. Open transactions end as they
 * began.
 */
async function makeReadOnly(url: string, holdMs: number): Promise<void> {
  await query(url, "alter system set default_transaction_read_only = on", "select pg_reload_conf()");
  await sleep(holdMs);
  // A server that is killed meanwhile has it from its file when it is back.
  for (const end = performance.now() + RESTART_TIMEOUT_MS; ; await sleep(200))
    try {
      return await queryOnce(
        url,
        "alter system reset default_transaction_read_only",
        "select pg_reload_conf()",
      );
    } catch (error) {
      if (performance.now() > end) throw error;
    }
}

/** Lets a process allocate no more memory than it has. It dies of that, or takes no more jobs. */
async function starve(pid: number): Promise<void> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = Number(/^VmData:\s+(\d+)/m.exec(status)?.[1]);
  if (kilobytes > 0)
    await run("prlimit", ["--pid", String(pid), `--data=${kilobytes * 1024}:`]).catch(() => {});
}

async function fillDisk(folder: string, holdMs: number): Promise<void> {
  const file = join(folder, "filler");
  try {
    const handle = await open(file, "w");
    try {
      for (;;) await handle.write(FILLER);
    } catch {
      // It is full.
    } finally {
      await handle.close();
    }
    await sleep(holdMs);
    await rm(file, { force: true });
  } catch {
    // The grader and its disk are gone.
  }
}

const query = (url: string, ...statements: string[]) => queryOnce(url, ...statements).catch(() => {});

async function queryOnce(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on("error", () => {});
  try {
    await client.connect();
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end().catch(() => {});
  }
}
