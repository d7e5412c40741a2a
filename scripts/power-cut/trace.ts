import { createReadStream, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** One change of files, as the kernel was asked for it. Paths are absolute. */
export type Change =
  | { type: "open"; path: string; fd: string; create: boolean; truncate: boolean; append: boolean }
  | { type: "write"; path: string; fd: string; bytes: Buffer; at: number | null }
  | { type: "copy"; from: string; path: string; fd: string; length: number }
  | { type: "truncate"; path: string; length: number }
  | { type: "sync"; path: string }
  | { type: "rename"; from: string; path: string }
  | { type: "link"; from: string; path: string }
  | { type: "remove"; path: string }
  | { type: "folder"; path: string };

/** A change as it began and as it ended: another thread's may have come between. */
export interface Step {
  change: Change;
  phase: "begins" | "ends";
  /** Seconds since 1970. */
  time: number;
}

const TRACER_MS = 60_000;
const TAIL = 10_000;
const CALLS =
  "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,copy_file_range,sendfile,ioctl";

/**
 * Stands before a command whose changes are to be recorded. The command stays this process's own child: it
 * can be killed.
 */
export const recording = (file: string): [string, ...string[]] => [
  ...(["strace", "-D", "-f", "-q", "-ttt", "-T", "-y", "-xx"] as const),
  ...["-s", "100000000", "--seccomp-bpf", "-e", "signal=none", "-e", `trace=${CALLS}`, "-o", file],
];

/** Resolves when the tracer has written the end of a process: it writes on after that has ended. */
export async function traceEnds(file: string, pid: number): Promise<void> {
  const end = new RegExp(`^${pid} .*\\+\\+\\+ (?:exited|killed)`, "m");
  for (const until = performance.now() + TRACER_MS; performance.now() < until; await sleep(20))
    if (end.test(readFileSync(file, "latin1").slice(-TAIL))) return;
  throw new Error("The recording does not end.");
}

const WHOLE = /^(\d+) +([\d.]+) (\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?: [A-Z].*)? <([\d.]+)>$/;
const BEGUN = /^(\d+) +([\d.]+) (\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^(\d+) +([\d.]+) <\.\.\. (\w+) resumed>(.*)\) += (-?\d+)(?:<.*>)?(?: [A-Z].*)? <[\d.]+>$/;

/** Reads a recording: the changes of files below a folder. Throws for a call that it does not understand. */
export async function* readTrace(file: string, folder: string): AsyncGenerator<Step> {
  const begun = new Map<string, { name: string; args: string; change: Change | null }>();
  const lines = createInterface({
    input: createReadStream(file, "latin1"),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) {
    const whole = WHOLE.exec(line);
    if (whole) {
      const [, , time, name, args, result, took] = whole;
      const change = readCall(name!, args!, Number(result), folder);
      if (!change) continue;
      yield { change, phase: "begins", time: Number(time) };
      yield { change, phase: "ends", time: Number(time) + Number(took) };
      continue;
    }
    const start = BEGUN.exec(line);
    if (start) {
      const [, pid, time, name, args] = start;
      // Only what a sync had before it began is certainly on the disk, and another thread may find a folder
      // before the call that made it has returned.
      const change = /sync$|^mkdir/.test(name!) ? readCall(name!, args!, 0, folder) : null;
      begun.set(pid!, { name: name!, args: args!, change });
      if (change) yield { change, phase: "begins", time: Number(time) };
      continue;
    }
    const end = RESUMED.exec(line);
    const before = end && begun.get(end[1]!);
    if (!end || !before) continue;
    begun.delete(end[1]!);
    const [, , time, name, rest, result] = end;
    if (before.change) {
      if (Number(result) === 0) yield { change: before.change, phase: "ends", time: Number(time) };
      continue;
    }
    const change = readCall(name!, before.args + rest, Number(result), folder);
    if (!change) continue;
    yield { change, phase: "begins", time: Number(time) };
    yield { change, phase: "ends", time: Number(time) };
  }
}

const unhex = (text: string) => Buffer.from(text.replaceAll("\\x", ""), "hex");

function readCall(name: string, args: string, result: number, folder: string): Change | null {
  if (result < 0) return null;
  const strings = [...args.matchAll(/"((?:\\x..)*)"/g)].map(([, hex]) => unhex(hex!));
  const bases = [...args.matchAll(/(\w+)<((?:\\x..)*)>/g)].map(([, fd, hex]) => ({
    fd: fd!,
    path: unhex(hex!).toString(),
  }));
  const named = (index: number) =>
    resolve(bases[index]?.path ?? bases[0]?.path ?? "/", strings[index]!.toString());
  const inside = (path: string) => path === folder || path.startsWith(join(folder, "/"));
  const only = (change: Change): Change | null => (inside(change.path) ? change : null);
  const [first] = bases;
  const last = Number(/(\d+)$/.exec(args)?.[1]);
  const written = () => Buffer.concat(strings).subarray(0, result);

  switch (name) {
    case "open":
    case "creat":
    case "openat": {
      if (/O_RDONLY(?!.*O_CREAT)/.test(args)) return null;
      const path = named(0);
      if (inside(path) && /O_D?SYNC|O_DIRECT\b/.test(args)) return unknown(args);
      const [create, truncate] = [/O_CREAT|^creat/, /O_TRUNC/].map((flag) => flag.test(args)) as [
        boolean,
        boolean,
      ];
      return only({
        type: "open",
        path,
        fd: String(result),
        create,
        truncate,
        append: /O_APPEND/.test(args),
      });
    }
    case "write":
    case "writev":
      return first ? only({ type: "write", ...first, bytes: written(), at: null }) : null;
    case "pwrite64":
    case "pwritev":
      return first ? only({ type: "write", ...first, bytes: written(), at: last }) : null;
    case "ftruncate":
      return first ? only({ type: "truncate", path: first.path, length: last }) : null;
    case "truncate":
      return only({ type: "truncate", path: named(0), length: last });
    case "fsync":
    case "fdatasync":
      return first ? only({ type: "sync", path: first.path }) : null;
    case "rename":
    case "renameat":
    case "renameat2":
    case "link":
    case "linkat": {
      const [from, path] = [named(0), named(1)];
      if (inside(from) !== inside(path))
        return unknown(`${name} across the folder's edge: ${from} to ${path}`);
      return only({ type: name.startsWith("link") ? "link" : "rename", from, path });
    }
    case "unlink":
    case "rmdir":
    case "unlinkat":
      return only({ type: "remove", path: named(0) });
    case "mkdir":
    case "mkdirat":
      return only({ type: "folder", path: named(0) });
    case "copy_file_range": {
      const [from, to] = bases;
      if (!to || !inside(to.path)) return null;
      if (!/NULL, \d+, \w+$/.test(args)) return unknown(args);
      return { type: "copy", from: from!.path, ...to, length: result };
    }
    case "ioctl": {
      const [to, from] = bases;
      if (!/\bFICLONE\b/.test(args) || !to || !from || !inside(to.path)) return null;
      return { type: "copy", from: from.path, ...to, length: Number.POSITIVE_INFINITY };
    }
    default:
      // Only those that name the folder matter.
      return [...bases.map(({ path }) => path), ...strings.map(String)].some(inside) ? unknown(name) : null;
  }
}

function unknown(what: string): never {
  throw new Error(`The recording has a call that cannot be replayed: ${what}`);
}
