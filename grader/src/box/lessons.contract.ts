import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { runProgram } from "./run-program.ts";
import type { Box, Sandbox } from "./sandbox.ts";

/**
 * Paths that both boxes of a pair can reach. The first locks and watches all of them, the second tries to
 * notice and to be noticed.
 */
const SHARED = `["/", "/usr", "/usr/bin", "/usr/bin/env", "/bin/sh", "/etc", "/etc/passwd", "/code", "/code/file", "/single", "/dev", "/dev/null",
  "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm", "/dev/pts", "/dev/ptmx", "/proc", "/proc/meminfo", "/proc/stat", "/proc/sys", "/tmp", "/out"]`;
const FIRST = `
import ctypes, fcntl, os, socket, struct, sys
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(os.O_NONBLOCK)
watched = {libc.inotify_add_watch(watch, path.encode(), 0xFFF): path for path in ${SHARED}}
files = [os.open(path, os.O_RDONLY) for path in ${SHARED} if os.path.exists(path)]
for file in files:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
libc.shmget(4242, 4096, 0o1666)
libc.msgget(4242, 0o1666)
libc.semget(4242, 1, 0o1666)
name = socket.socket(socket.AF_UNIX)
name.bind("\\0crowdai-pair")
name.listen()
port = socket.create_server(("127.0.0.1", 4242))
for folder in ("/tmp", "/dev/shm", "/out"):
    open(folder + "/message", "w").write("x")
def heard():
    found = set()
    try:
        while True:
            block, at = os.read(watch, 65536), 0
            while at < len(block):
                number, _, _, length = struct.unpack_from("iIII", block, at)
                found.add(watched[number])
                at += 16 + length
    except BlockingIOError:
        return found
heard()
print("ready", flush=True)
sys.stdin.readline()
for path in sorted(heard()):
    print("heard", path)
`;
const SECOND = `
import ctypes, fcntl, os, socket
libc = ctypes.CDLL(None)
for path in ${SHARED}:
    try:
        file = os.open(path, os.O_RDONLY)
        os.listdir(path) if os.path.isdir(path) else os.read(file, 1) if path != "/dev/ptmx" else None
    except OSError:
        continue
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("locked", path)
    # Two of the paths may be one device in this box.
    os.close(file)
for what, found in (("shared memory", libc.shmget(4242, 4096, 0)), ("messages", libc.msgget(4242, 0)), ("semaphores", libc.semget(4242, 1, 0))):
    if found >= 0:
        print(what)
for family, address in ((socket.AF_UNIX, "\\0crowdai-pair"), (socket.AF_INET, ("127.0.0.1", 4242))):
    if socket.socket(family).connect_ex(address) == 0:
        print("connected", address)
for folder in ("/tmp", "/dev/shm", "/out"):
    if os.path.exists(folder + "/message"):
        print("a message in", folder)
if sum(name.isdigit() for name in os.listdir("/proc")) > 6:
    print("processes", os.listdir("/proc"))
`;

/** Things that went wrong with boxes before, here or elsewhere. Each kind of box must have learnt them. */
export function describeLessons(kind: string, sandbox: Sandbox | null): void {
  describe.runIf(sandbox)(`what a box of ${kind} has learnt`, () => {
    const run = (script: string, options?: Parameters<typeof runProgram>[2]) =>
      runProgram(sandbox!.start, ["/bin/sh", "-c", script], options);
    const python = (script: string, options?: Parameters<typeof runProgram>[2]) =>
      runProgram(sandbox!.start, ["/usr/bin/python3", "-c", script], options);
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "crowdai-box-lessons-"));
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, "file"), "x", { mode: 0o644 });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("no process in it has an environment variable of the grader, the first neither", async () => {
      process.env.CROWDAI_LESSON_SECRET = "1";
      const { stdout } = await run("cat /proc/[0-9]*/environ | tr '\\0' '\\n'; echo; env");
      delete process.env.CROWDAI_LESSON_SECRET;
      const names = stdout.split("\n").flatMap((line) => line.split("=")[0] || []);
      expect(
        [...new Set(names)].filter((name) => !/^(HOME|LANG|PATH|PWD|TMPDIR|_|container)$/.test(name)),
      ).toEqual([]);
    });

    it("no command line and no mount in it shows where its parts are on the machine", async () => {
      const { stdout } = await run("cat /proc/[0-9]*/cmdline /proc/self/mountinfo | tr '\\0' ' '", {
        readable: { "/code": folder },
      });
      expect(stdout).toContain(" /code ");
      for (const word of [basename(folder), "--ro-bind", "--tmpfs", "--seccomp"])
        expect(stdout).not.toContain(word);
    });

    it("has the descriptors of its program's streams, and no other", async () => {
      const { stdout } = await python(
        "import os\nfor fd in os.listdir('/proc/self/fd'):\n  try: print(fd, os.readlink('/proc/self/fd/' + fd))\n  except OSError: pass",
      );
      expect(
        stdout
          .trim()
          .split("\n")
          .map((line) => line.split(" ")[0]),
      ).toEqual(["0", "1", "2"]);
    });

    it("can make as many processes as it may, however many other boxes have, or have left behind", async () => {
      const count = `
import os, time
made = 0
try:
    while made < 50:
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
        made += 1
except OSError:
    pass
print(made, flush=True)
time.sleep(0.3)
os._exit(0)`;
      const limits = { processes: 8 };
      const counts: string[] = [];
      for (let round = 0; round < 3; round++)
        for (const { stdout } of await Promise.all([1, 2, 3].map(() => python(count, { limits }))))
          counts.push(stdout.trim());
      expect(counts).toEqual(counts.map(() => counts[0]));
      expect(Number(counts[0])).toBeGreaterThanOrEqual(7);
    });

    it("can send nothing to a box beside it, by whatever both can reach", async () => {
      const readable = { "/code": folder, "/single": join(folder, "file") };
      const ready = Promise.withResolvers<Box>();
      const box = sandbox!.start({
        ...{ command: ["/usr/bin/python3", "-c", FIRST], cwd: "/tmp", env: {}, readable, stdin: "pipe" },
        limits: { memoryBytes: 2 ** 27, cpuMs: 20_000, wallMs: 60_000, processes: 8, scratchBytes: 2 ** 20 },
      });
      let first = "";
      box.stdout.on("data", (chunk: Buffer) => {
        first += chunk;
        ready.resolve(box);
      });
      box.stderr.on("data", (chunk: Buffer) => {
        first += chunk;
      });
      await Promise.race([ready.promise, box.exited]);
      const second = await python(SECOND, { readable });
      box.stdin!.end("\n");
      await box.exited;
      box.close();
      await box.ended;
      expect([first, second.stdout, second.stderr]).toEqual(["ready\n", "", ""]);
    });

    it("is killed as a whole, and soon, when its processes need too much memory together", async () => {
      const { cause, usage } = await python(
        "import os, time\nfor _ in range(12):\n  if os.fork() == 0: break\nblock = bytearray(12 << 20)\ntime.sleep(60)",
      );
      expect(cause).toBe("memory");
      expect(usage.wallMs).toBeLessThan(allowedMs(3000));
    });

    it("can write to three folders only, and all of them have a size", async () => {
      const { stdout } = await python(
        `
import os
for line in open("/proc/self/mountinfo"):
    path = line.split()[4]
    if os.path.isdir(path) and not path.startswith("/proc"):
        try:
            os.close(os.open(path + "/test", os.O_CREAT | os.O_WRONLY))
        except OSError:
            continue
        found = os.statvfs(path)
        print(path, found.f_blocks * found.f_frsize)`,
        { limits: { scratchBytes: 2 ** 20 } },
      );
      const found = new Set(stdout.trim().split("\n").sort());
      expect([...found]).toEqual(["/dev/shm 1048576", "/out 1048576", "/tmp 1048576"]);
    });

    it("shows nothing of the machine's load, locks, keys and kernel in /proc", async () => {
      const names = [
        "kallsyms",
        "config.gz",
        "interrupts",
        "stat",
        "diskstats",
        "loadavg",
        "cmdline",
        "keys",
        "locks",
      ];
      const { stdout } = await run(
        `for name in ${names.join(" ")}; do head -c 10 /proc/$name 2>/dev/null; done; echo end`,
      );
      expect(stdout).toBe("end\n");
    });

    it("lets a program list the interfaces of the box's network, and no other network", async () => {
      const { stdout, stderr, code } = await runProgram(
        sandbox!.start,
        [
          `/runtime/${basename(process.execPath)}`,
          "-p",
          "JSON.stringify(Object.keys(require('os').networkInterfaces()))",
        ],
        {
          readable: { "/runtime": dirname(process.execPath) },
          limits: { memoryBytes: 2 ** 30, processes: 64, wallMs: 60_000, cpuMs: 60_000 },
        },
      );
      expect([stderr, code]).toEqual(["", 0]);
      expect(JSON.parse(stdout)).toEqual(["lo"]);
    });

    it("sends its files without the grader opening a path that the program can change", async () => {
      const into = [1, 2, 3].map(() => mkdtempSync(join(folder, "out-")));
      const collected: Promise<boolean>[] = [];
      const SWAP = `
import os, sys
print("ready", flush=True)
end = [0]
while not os.path.exists("/out/end"):
    for target in ("/etc/passwd", "/proc/1/environ", "/"):
        try:
            os.symlink(target, "/out/next")
            os.rename("/out/next", "/out/file")
            open("/out/next", "w").write("text")
            os.rename("/out/next", "/out/file")
        except OSError:
            pass
    if len(sys.argv) > 1:
        break
    end[0] += 1
    if end[0] > 20000:
        break`;
      await python(SWAP, {
        onStart: (box) =>
          box.stdout.once("data", async () => {
            for (const one of into) {
              collected.push(box.collect(one, 1000));
              await collected.at(-1);
            }
            box.kill();
          }),
      });
      await Promise.all(collected);
      const found = into.flatMap((one) => readdirSync(one).map((name) => join(one, name)));
      for (const path of found) expect(lstatSync(path).isFile()).toBe(true);
    });

    it("whose program kills what collects its files spoils its own output only", async () => {
      const into = mkdtempSync(join(folder, "out-"));
      const KILL = `
import os, signal, time
open("/out/file", "w").write("x")
print("ready", flush=True)
while os.path.exists("/out/file"):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) not in (1, os.getpid(), os.getppid()):
            try:
                os.kill(int(pid), signal.SIGKILL)
                break
            except OSError:
                pass
    else:
        continue
    break
os._exit(4)`;
      let collected: Promise<boolean> | undefined;
      const end = await python(KILL, {
        limits: { wallMs: 2000 },
        onStart: (box) =>
          box.stdout.once("data", () => {
            collected = box.collect(into, 1000);
          }),
      });
      // A piece of an archive before its other messages can make these unreadable.
      expect(["exit", "wall", "killed"]).toContain(end.cause);
      expect(typeof (await collected)).toBe("boolean");
      expect(["", "file"]).toContain(readdirSync(into).join());
    });

    it("counts what is in its scratch folders as memory", async () => {
      const limits = { memoryBytes: 24 * 2 ** 20, scratchBytes: 64 * 2 ** 20 };
      for (const path of ["/tmp/block", "/out/block", "/dev/shm/block"])
        expect(await run(`head -c 48M /dev/zero > ${path}`, { limits })).toMatchObject({ cause: "memory" });
    });

    it("ends with its program's own exit code, unless a limit came first", async () => {
      expect(await run("exit 137")).toMatchObject({ cause: "exit", code: 137 });
      expect(await run("kill -KILL $$")).toMatchObject({ cause: "exit", code: 137 });
      expect(await run("tail /dev/zero & wait; exit 0")).toMatchObject({ cause: "memory" });
      expect(await run("trap '' TERM; sleep 60; exit 0", { limits: { wallMs: 200 } })).toMatchObject({
        cause: "wall",
      });
    });

    it("takes a limit of zero as zero, not as no limit", async () => {
      expect(await run("sleep 60", { limits: { wallMs: 0 } })).toMatchObject({ cause: "wall" });
      expect(await run("while :; do :; done", { limits: { cpuMs: 0 } })).toMatchObject({ cause: "cpu" });
      expect((await run("sleep 60", { limits: { memoryBytes: 0, wallMs: 5000 } })).cause).not.toBe("exit");
    });

    it("is not made when one of its parts would be inside of another, where a link could lead it astray", async () => {
      const start = () => run("true", { readable: { "/code": folder, "/code/data": folder } });
      await expect(start()).rejects.toThrow("/code/data");
    });
  });
}
