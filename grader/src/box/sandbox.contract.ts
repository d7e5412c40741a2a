import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "./run-program.ts";
import type { LeftEntry, Sandbox } from "./sandbox.ts";
import { selfTest } from "./self-test.ts";

/** Prints the errors of clone3, io_uring_setup and a call that no kernel has. */
const REFUSED_CALLS = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def error(call):
    libc.syscall(call, 0, 0)
    return ctypes.get_errno()
print(error(435), error(425), error(9999))`;

/** Starts threads that stay, until it may not, and prints how many there are and why there are no more. */
const MANY_THREADS = `
import os, threading
threading.stack_size(65536)
end = threading.Event()
started = 1
reason = ""
try:
    while started < 100:
        threading.Thread(target=end.wait, daemon=True).start()
        started += 1
except RuntimeError as error:
    reason = error
print(f"{started}:{reason}", flush=True)
os._exit(0)`;

/** Describes the behavior of every sandbox, whatever makes its boxes. */
export function describeSandbox(name: string, sandbox: Sandbox | null): void {
  describe.runIf(sandbox)(`a box of ${name}`, () => {
    const run = (script: string, options?: Parameters<typeof runProgram>[2]) =>
      runProgram(sandbox!.start, ["/bin/sh", "-c", script], options);
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "crowdai-box-contract-"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("passes its self-test, which takes about a second", async () => {
      const { failures, enforced } = await sandbox!.selfTest();
      expect(failures).toEqual([]);
      expect(enforced).toHaveLength(6);
    });

    it("passes its self-test however long its boxes take on a busy machine", async () => {
      const { failures } = await selfTest((plan) => {
        const box = sandbox!.start(plan);
        const late = box.ended.then((end) => {
          return { ...end, usage: { ...end.usage, wallMs: end.usage.wallMs + 60_000 } };
        });
        return { ...box, ended: late };
      });
      expect(failures).toEqual([]);
    });

    it("returns the output, the exit code and the usage of a program", async () => {
      const end = await run("cat; echo out; echo err >&2; exit 5");
      expect(end).toMatchObject({ cause: "exit", code: 5, stdout: "out\n", stderr: "err\n", detail: "" });
      expect(end.usage.cpuMs).toBeGreaterThan(0);
      expect(end.usage.peakMemoryBytes).toBeGreaterThan(100_000);
      expect(end.usage.wallMs).toBeLessThan(10_000);
    });

    it("adds 128 to the number of a signal", async () => {
      expect(await run("kill -SEGV $$")).toMatchObject({ cause: "exit", code: 139 });
    });

    it("reports a program that does not exist", async () => {
      const end = await runProgram(sandbox!.start, ["/no/such/program"]);
      expect(end).toMatchObject({
        cause: "exit",
        code: 127,
        stderr: expect.stringContaining("/no/such/program"),
      });
    });

    it("shows files and folders at the paths that the plan names, read-only", async () => {
      writeFileSync(join(folder, "answers.csv"), "42", { mode: 0o644 });
      const { stdout } = await run(
        "cat /data/answers.csv /other/single; touch /data/x 2>/dev/null || echo ' refused'",
        { readable: { "/data": folder, "/other/single": join(folder, "answers.csv") } },
      );
      // The folder itself is closed to other users until here.
      expect(stdout).not.toContain("42 42");
      chmodSync(folder, 0o755);
      const again = await run(
        "cat /data/answers.csv /other/single; touch /data/x 2>/dev/null || echo ' refused'",
        {
          readable: { "/data": folder, "/other/single": join(folder, "answers.csv") },
        },
      );
      expect(again.stdout).toBe("4242 refused\n");
    });

    it("shows several folders at one path, the files of the first over those of the others", async () => {
      const layers = ["upper", "lower"].map((name) => join(mkdtempSync(join(folder, `${name}-`)), "layer"));
      for (const [at, layer] of layers.entries()) {
        mkdirSync(join(layer, "both"), { recursive: true, mode: 0o755 });
        for (const file of ["same", `only-${at}`]) writeFileSync(join(layer, "both", file), `${at} `);
        chmodSync(dirname(layer), 0o755);
      }
      chmodSync(folder, 0o755);
      const { stdout } = await run("cd /data/both; cat *; touch x || echo refused", {
        readable: { "/data": layers },
      });
      expect(stdout).toBe("0 1 0 refused\n");
    });

    it("shows the programs of another root instead of this machine's", async () => {
      const root = mkdtempSync(join(folder, "root-"));
      for (const name of ["sh", "tar", "find", "stat", "ls"]) {
        const libraries = execFileSync("ldd", [`/bin/${name}`], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
        for (const path of [`/bin/${name}`, ...libraries]) {
          mkdirSync(join(root, dirname(path)), { recursive: true });
          copyFileSync(path, join(root, path));
        }
      }
      execFileSync("chmod", ["-R", "a+rX", root]);
      chmodSync(folder, 0o755);
      const { stdout, stderr } = await run(
        "cd /bin; for name in *; do echo $name; done; [ -e /etc/passwd ] || [ -e /usr/bin/env ] || echo alone",
        { root },
      );
      expect(stdout, stderr).toBe("find\nls\nsh\nstat\ntar\nalone\n");
    });

    it("names everything in /out, and gives the files that are asked for, executable as they were", async () => {
      const into = mkdtempSync(join(folder, "out-"));
      const entries: LeftEntry[] = [];
      await run("cd /out; mkdir a; echo 1 > a/b; chmod 755 a/b; echo 22 > c; ln -s c link; mkfifo pipe", {
        collectInto: into,
        take: (entry) => entries.push(entry) > 0 && entry.name === "a/b",
      });
      expect(readdirSync(into, { recursive: true }).sort()).toEqual(["a", "a/b"]);
      expect(statSync(join(into, "a/b")).mode & 0o777).toBe(0o700);
      const shown = entries
        .filter(({ name }) => name !== "")
        .map(({ name, kind, size }) => `${kind} ${name} ${size}`);
      expect(shown.sort()).toEqual(["file a/b 2", "file c 3", "folder a 0", "link link 0", "pipe pipe 0"]);
    });

    it("gives the symbolic links that are asked for, if they stay inside", async () => {
      const into = mkdtempSync(join(folder, "out-"));
      await run(
        "cd /out; mkdir -p a/bin a/b; echo 1 > a/file; ln -s ../file a/bin/kept; ln -s /etc/passwd a/absolute; ln -s ../../x a/above; ln -s b a/through; ln -s through/../../../x a/outside; ln -s through/../file a/beside",
        { collectInto: into, take: ({ kind, target }) => kind === "file" || target !== null },
      );
      expect(readdirSync(join(into, "a")).sort()).toEqual(["bin", "file", "through"]);
      expect(readdirSync(join(into, "a/bin"))).toEqual(["kept"]);
      expect(readlinkSync(join(into, "a/bin/kept"))).toBe("../file");
    });

    it("reports that a program failed while /tmp or /out was full", async () => {
      const fill = "head -c 9000000 /dev/zero > /out/x";
      expect(await run(`${fill} || exit 3`)).toMatchObject({ code: 3, scratchFull: true });
      expect(await run(`${fill}; exit 0`)).toMatchObject({ code: 0, scratchFull: false });
      expect(await run("exit 3")).toMatchObject({ code: 3, scratchFull: false });
    });

    it("sees in its inbox what is moved there while it runs", async () => {
      const inbox = mkdtempSync(join(folder, "inbox-"));
      chmodSync(inbox, 0o755);
      const { stdout } = await run(
        "echo ready; while [ ! -e /job/file ]; do sleep 0.02; done; cat /job/file; rm /job/file 2>/dev/null || echo kept",
        {
          inbox,
          onStart: (box) =>
            box.stdout.once("data", () => writeFileSync(join(inbox, "file"), "text\n", { mode: 0o644 })),
        },
      );
      expect(stdout).toBe("ready\ntext\nkept\n");
    });

    it("gives its files in /out, and only regular ones", async () => {
      const into = mkdtempSync(join(folder, "out-"));
      await run(
        "cd /out; mkdir -p a/b; echo 1 > a/b/c; head -c 1000000 /dev/zero > big; ln -s /etc/passwd link; mkfifo pipe; echo 2 > .hidden",
        { collectInto: into },
      );
      expect(readdirSync(into, { recursive: true }).sort()).toEqual([".hidden", "a", "a/b", "a/b/c", "big"]);
      expect(readFileSync(join(into, "a/b/c"), "utf8")).toBe("1\n");
      expect(readFileSync(join(into, "big"))).toHaveLength(1_000_000);
    });

    it("can be asked for its files again and again while the program runs", async () => {
      const into = [1, 2].map(() => mkdtempSync(join(folder, "out-")));
      const collected: Promise<boolean>[] = [];
      await run("echo 1 > /out/a; echo ready; while [ -e /out/a ]; do sleep 0.02; done; echo 2 > /out/b", {
        collectInto: into[1]!,
        onStart: (box) => box.stdout.once("data", () => collected.push(box.collect(into[0]!, 1000))),
      });
      expect(await collected[0]).toBe(true);
      expect(into.map((one) => readdirSync(one))).toEqual([["a"], ["b"]]);
    });

    it("finishes what it is collecting when the program exits meanwhile", async () => {
      const into = mkdtempSync(join(folder, "out-"));
      const inbox = mkdtempSync(join(folder, "inbox-"));
      chmodSync(inbox, 0o755);
      const collected: Promise<boolean>[] = [];
      const take = () => {
        writeFileSync(join(inbox, "exit"), "", { mode: 0o644 });
        // The rest of the archive waits until the program has exited.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
        return true;
      };
      const end = await run(
        "head -c 4000000 /dev/zero > /out/big; echo ready; while [ ! -e /job/exit ]; do :; done; exit 3",
        {
          inbox,
          onStart: (box) => box.stdout.once("data", () => collected.push(box.collect(into, take))),
        },
      );
      expect(end).toMatchObject({ cause: "exit", code: 3 });
      expect(await collected[0]).toBe(true);
      expect(statSync(join(into, "big")).size).toBe(4_000_000);
    });

    it("answers calls that it refuses as a kernel without them: libraries then use older ones", async (context) => {
      if (!existsSync("/usr/bin/python3")) return context.skip();
      const { stdout, stderr } = await run(`exec /usr/bin/python3 -c '${REFUSED_CALLS}'`);
      expect(stdout, stderr).toBe("38 38 38\n");
    });

    it("starts threads, up to the limit of processes", async (context) => {
      if (!existsSync("/usr/bin/python3")) return context.skip();
      const { stdout, stderr } = await runProgram(sandbox!.start, ["/usr/bin/python3", "-c", MANY_THREADS], {
        limits: { processes: 16 },
      });
      const [started, reason] = stdout.trim().split(":");
      expect(reason, stderr).toBe("can't start new thread");
      // The attendant's part of the limit is free for the program.
      expect(Number(started)).toBeGreaterThanOrEqual(15);
      expect(Number(started)).toBeLessThan(16 + 6);
    });

    it("runs Node.js, which starts threads before the program", async (context) => {
      if (!existsSync("/usr/bin/node")) return context.skip();
      const end = await run('exec /usr/bin/node -e "console.log(6 * 7)"', {
        limits: { memoryBytes: 256 * 2 ** 20 },
      });
      expect(end, end.stderr).toMatchObject({ code: 0, stdout: "42\n" });
    });

    it("ends for one reason, the first", async () => {
      expect(await run("sleep 60", { limits: { wallMs: 300 } })).toMatchObject({ cause: "wall", code: null });
      expect(await run("while :; do :; done", { limits: { cpuMs: 200 } })).toMatchObject({ cause: "cpu" });
      expect(await run("tail /dev/zero")).toMatchObject({ cause: "memory" });
      const killed = await run("sleep 60", { onStart: (box) => setTimeout(box.kill, 100) });
      expect(killed).toMatchObject({ cause: "killed", code: null });
    });

    it("cannot send messages to another box by locks or watches on what both can read", async () => {
      const held = Promise.withResolvers<void>();
      let kill = () => {};
      const first = run("exec flock /usr/bin/env sh -c 'echo held; sleep 20'", {
        onStart(box) {
          kill = box.kill;
          box.stdout.once("data", () => held.resolve());
        },
      });
      await held.promise;
      expect(await run("flock -n /usr/bin/env true")).toMatchObject({ code: 0 });
      kill();
      await first;
      if (!existsSync("/usr/bin/python3")) return;
      const WATCH = `
import ctypes, os, time
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(fd, b"/usr/bin/env", 0x20 | 0x1)
print("watching", flush=True)
time.sleep(1)
try:
    os.read(fd, 4096)
    print("heard")
except BlockingIOError:
    print("silent")`;
      const watching = Promise.withResolvers<void>();
      const watcher = runProgram(sandbox!.start, ["/usr/bin/python3", "-c", WATCH], {
        onStart: (box) => box.stdout.once("data", () => watching.resolve()),
      });
      await watching.promise;
      await run("/usr/bin/env true; cat /usr/bin/env > /dev/null");
      expect((await watcher).stdout).toBe("watching\nsilent\n");
    });

    it("is gone when it has ended, and so are 20 at the same time", async () => {
      // Of one width, so that the mark of no other process begins with it.
      const own = String(process.pid).padStart(7, "0");
      const marks = Array.from({ length: 20 }, (_, at) => `600.${own}${at}`);
      await Promise.all(marks.map((mark) => run(`setsid sleep ${mark} & setsid sleep ${mark} & exit 0`)));
      const commands = readdirSync("/proc")
        .filter((pid) => /^\d+$/.test(pid))
        .map((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "latin1");
          } catch {
            return "";
          }
        });
      expect(commands.filter((command) => marks.some((mark) => command.includes(mark)))).toEqual([]);
      await sleep(0);
    });
  });
}
