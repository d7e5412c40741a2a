import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import type { Daemon } from "../services/daemon.ts";
import type { Service } from "../services/service.ts";
import type { Fault, Part } from "./fault-plan.ts";
import type { Fleet } from "./fleet.ts";

const run = promisify(execFile);
const RESTART_TIMEOUT_MS = 120_000;

export interface Faults {
  /** What was really done: a fault on a part that is down already waits until it is up. */
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
    const key = `${fault.part} ${fault.index}`;
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
  if (kind === "flush") return fleet.redisCommand("FLUSHALL").catch(() => {});
  if (kind === "cut") {
    if (part === "redis") return fleet.redisCommand("CLIENT", "KILL", "TYPE", "normal").catch(() => {});
    return endConnections(fleet.postgres[0]!.url);
  }
  const daemon = fleet[part][index]!;
  if (kind === "freeze") {
    const pids = await processTreeOf(daemon, part);
    signal(pids, "SIGSTOP");
    await sleep(holdMs);
    signal(pids, "SIGCONT");
    return;
  }
  if (kind === "kill") await daemon.kill("SIGKILL");
  else await daemon.stop();
  await sleep(holdMs);
  await supervise(daemon);
}

/** Starts it again, as whatever looks after a server does: until what it needs is there too. */
async function supervise(daemon: Daemon): Promise<void> {
  for (const end = performance.now() + RESTART_TIMEOUT_MS; ; )
    try {
      return await daemon.restart();
    } catch (error) {
      if (performance.now() > end) throw error;
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

async function endConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
    );
  } catch {
    // It is away.
  } finally {
    await client.end().catch(() => {});
  }
}
