import { readdirSync, readFileSync } from "node:fs";

interface ProcessEntry {
  pid: number;
  parent: number;
  session: number;
}

/**
 * Returns the descendants of a process, and the members of its session; without the process itself. Empty
 * where there is no /proc.
 */
export function descendantsOf(pid: number): number[] {
  const all = processes();
  const found = new Set(all.filter((one) => one.session === pid).map((one) => one.pid));
  found.add(pid);
  // A child may be listed before its parent.
  for (let size = 0; size < found.size; ) {
    size = found.size;
    for (const one of all) if (found.has(one.parent)) found.add(one.pid);
  }
  found.delete(pid);
  return [...found];
}

/** Returns the memory that belongs to these processes alone, in bytes. Text and mapped files do not count. */
export function memoryOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + residentOf(pid), 0);
}

export function killEach(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has exited.
    }
}

function processes(): ProcessEntry[] {
  return namesIn("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = textOf(`/proc/${name}/stat`);
    // The command's name comes before, in parentheses, and may contain anything. A zombie needs no killing.
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === undefined || state === "" || state === "Z"
      ? []
      : [{ pid: Number(name), parent: Number(parent), session: Number(session) }];
  });
}

function residentOf(pid: number): number {
  const status = textOf(`/proc/${pid}/status`);
  const kilobytes = ["RssAnon", "RssShmem"].map((name) => status.match(`${name}:\\s+(\\d+) kB`)?.[1] ?? 0);
  return kilobytes.reduce<number>((sum, value) => sum + Number(value) * 1024, 0);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
