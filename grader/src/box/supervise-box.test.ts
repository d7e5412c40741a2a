import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, PassThrough, type Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BoxLimits } from "./sandbox.ts";
import { type RunningBox, superviseBox } from "./supervise-box.ts";

const NO_LIMITS = { memoryBytes: null, cpuMs: null, wallMs: null, processes: 1, scratchBytes: 1000 };

/**
 * A shell that speaks as the attendant of a box does, with requests on descriptor 3 and answers on
 * descriptor 4.
 */
describe("a box", () => {
  const children = new Set<RunningBox>();
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const child of children) child.kill("SIGKILL");
    children.clear();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start(script: string, limits: Partial<BoxLimits> = {}, command = "/bin/sh") {
    const child = spawn(command, ["-c", script], { stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"] });
    children.add(child as RunningBox);
    const state = {
      ...{ kills: 0, looks: 0, ranOutOfMemory: false, cpuMs: 5, steps: [] as string[] },
      ...{ text: "", exited: false, end: null as unknown },
    };
    const group = {
      ...{ joinFiles: [], limitsMemory: true, limit: () => true, exceedsMemory: () => false, closeNow() {} },
      kill: () => void state.kills++,
      ranOutOfMemory: () => state.ranOutOfMemory,
      usage() {
        state.looks++;
        return { cpuMs: state.cpuMs, peakMemoryBytes: 7 };
      },
      async close() {
        state.steps.push("closed");
      },
    };
    const box = superviseBox({
      child: child as RunningBox,
      ...{ requests: child.stdio[3] as Duplex, output: child.stdio[4] as Readable },
      ...{ group, limits: { ...NO_LIMITS, ...limits }, release: () => void state.steps.push("released") },
    });
    box.stdout.on("data", (chunk: Buffer) => {
      state.text += chunk;
    });
    void box.exited.then(() => {
      state.exited = true;
    });
    void box.ended.then((end) => {
      state.end = end;
    });
    const says = async (text: string) => {
      while (!state.text.includes(text)) await once(box.stdout, "data");
    };
    return { box, state, child, says };
  }
  const quick = (script: string, limits?: Partial<BoxLimits>) => start(script, limits).box.ended;

  it("ends with its program's exit code, what it used, and nothing left", async () => {
    const { box, state } = start('echo started >&4; echo early >&2; echo "exit 5" >&4; echo "exit 0" >&4');
    const { usage, ...end } = await box.ended;
    expect(end).toEqual({ cause: "exit", code: 5, detail: "", scratchFull: false });
    expect(usage).toMatchObject({ cpuMs: 5, peakMemoryBytes: 7 });
    expect([usage.wallMs > 0, usage.wallMs < 60_000]).toEqual([true, true]);
    expect(state).toMatchObject({ steps: ["closed", "released"], exited: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends with a code of up to three digits, and then no limit of its time waits", async () => {
    const end = await quick('echo started >&4; echo "exit 137" >&4', { wallMs: 1000 });
    expect(end).toMatchObject({ cause: "exit", code: 137 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that did not start says why", async () => {
    const end = await quick('echo " no such thing " >&2; exit 125');
    expect(end).toMatchObject({ cause: "not_started", code: null, detail: "no such thing" });
    const flood = await quick("head -c 100000 /dev/zero | tr '\\0' x >&2");
    expect(flood.detail.length).toBeGreaterThanOrEqual(2000);
    expect(flood.detail.length).toBeLessThan(4000);
  });

  // Bun has no streams then, as when there are no descriptors.
  it.skipIf(process.versions.bun)(
    "that this machine cannot start ends too, and releases what it had once",
    async () => {
      const { box, state, child } = start("", {}, "/no/such/program");
      const closed = new Promise((resolve) => child.once("close", resolve));
      expect(await box.ended).toMatchObject({
        ...{ cause: "not_started", code: null, detail: expect.stringContaining("ENOENT") },
      });
      // Its user may belong to the next box by now.
      await closed;
      await pass(0);
      expect(state.steps).toEqual(["closed", "released"]);
    },
  );

  describe("of a process that the test plays", () => {
    function watch(pid: number | undefined, missing?: string) {
      const streams = Object.fromEntries(
        ["stdout", "stderr", "requests", "output"]
          .filter((name) => name !== missing)
          .map((name) => [name, new PassThrough()]),
      );
      const child = Object.assign(new EventEmitter(), { pid, kill: () => false, stdin: null, ...streams });
      const group = { kill() {}, ranOutOfMemory: () => false, usage: () => ({}), close: async () => {} };
      const watched = { child, ...streams, group, limits: NO_LIMITS, release() {} };
      return { child, streams, ended: superviseBox(watched as never).ended };
    }

    it("has not started where this machine reports an error alone, if it has no process", async () => {
      const failed = watch(undefined);
      failed.child.emit("error", new Error("spawn EAGAIN"));
      expect(await failed.ended).toMatchObject({ cause: "not_started", detail: "spawn EAGAIN" });
      const { child, streams, ended } = watch(1);
      const isOver = vi.fn();
      void ended.then(isOver);
      child.emit("error", new Error("kill EPERM"));
      await pass(0);
      expect(isOver).not.toHaveBeenCalled();
      child.emit("exit");
      streams.output!.destroy();
      child.emit("close");
      expect(await ended).toMatchObject({ cause: "not_started" });
    });

    it("is heard to its last word, also when that comes after it is closed, as under Bun", async () => {
      const { child, streams, ended } = watch(1);
      child.emit("exit");
      child.emit("close");
      streams.output!.end("started\nexit 3\n");
      expect(await ended).toMatchObject({ cause: "exit", code: 3 });
    });

    it("does not end the grader by an error of a stream", async () => {
      const { child, streams, ended } = watch(1);
      for (const stream of Object.values(streams)) stream.emit("error", new Error("EPIPE"));
      child.emit("close");
      streams.output!.destroy();
      await ended;
    });

    it.each(["stdout", "stderr", "requests", "output"])("is not started without its %s", (missing) => {
      expect(() => watch(1, missing)).toThrow("no file descriptors are left");
    });
  });

  it("that ends without an exit code was killed by its program", async () => {
    expect(await quick("echo started >&4")).toMatchObject({ cause: "killed", code: null, detail: "" });
    const odd =
      "echo started >&4; for line in 'exit 1234' 'exit x' 'exit' ' exit 1' 'exit 1 '; do echo \"$line\" >&4; done";
    expect(await quick(odd)).toMatchObject({ cause: "killed", code: null });
  });

  it("reports that its folders were full", async () => {
    expect(await quick('echo full >&4; echo "exit 1" >&4')).toMatchObject({ scratchFull: true, code: 1 });
    expect(await quick('echo fuller >&4; echo "exit 1" >&4')).toMatchObject({ scratchFull: false });
  });

  it("ends for the first reason", async () => {
    const { box, says } = start('echo started >&4; echo "exit 3" >&4; echo ready; exec sleep 60');
    await Promise.all([says("ready"), box.exited]);
    box.kill();
    expect(await box.ended).toMatchObject({ cause: "exit", code: 3 });
  });

  it("that is killed has no exit code, and its group is killed too", async () => {
    const { box, state, says } = start("echo started >&4; echo ready; exec sleep 60");
    await says("ready");
    box.kill();
    expect(state.kills).toBe(1);
    expect(await box.ended).toMatchObject({ cause: "killed", code: null });
    expect(state).toMatchObject({ steps: ["closed", "released"], exited: true });
  });

  it("whose memory ran out says so, whether its program exited or not", async () => {
    const exited = start('echo started >&4; read go; echo "exit 9" >&4');
    exited.state.ranOutOfMemory = true;
    exited.box.stdin!.write("\n");
    expect(await exited.box.ended).toMatchObject({ cause: "memory", code: 9 });
    const hangs = start("echo ready; exec sleep 60");
    await hangs.says("ready");
    await pass(199);
    hangs.state.ranOutOfMemory = true;
    expect(hangs.state.kills).toBe(0);
    await pass(1);
    expect(await hangs.box.ended).toMatchObject({ cause: "memory", code: null });
    const gone = start("read go");
    gone.state.ranOutOfMemory = true;
    gone.box.stdin!.write("\n");
    expect(await gone.box.ended).toMatchObject({ cause: "memory" });
  });

  // Bun may read the pipes of a process one turn after the other.
  it.skipIf(process.versions.bun)("ends when its time is over, and not before", async () => {
    const script = "echo started >&4; echo ready; read go; echo started >&4; echo again; exec sleep 60";
    const limited = start(script, { wallMs: 1000 });
    const unlimited = start(script);
    await Promise.all([limited.says("ready"), unlimited.says("ready")]);
    // Its time begins with its program, and once.
    const beforeStart = start("echo ready; read go; echo started >&4; echo again; exec sleep 60", {
      wallMs: 1000,
    });
    await beforeStart.says("ready");
    await pass(600);
    for (const { box, says } of [limited, beforeStart]) {
      box.stdin!.write("\n");
      await says("again");
    }
    // The line of the other pipe has been read, too.
    await new Promise((resolve) => setImmediate(resolve));
    await pass(399);
    expect(limited.state.kills).toBe(0);
    await pass(1);
    expect(await limited.box.ended).toMatchObject({ cause: "wall", code: null });
    await pass(599);
    expect(beforeStart.state.kills).toBe(0);
    await pass(1);
    expect(await beforeStart.box.ended).toMatchObject({ cause: "wall", code: null });
    await pass(1_000_000);
    expect(unlimited.state.kills).toBe(0);
  });

  it("that does not start within a minute is not the program's fault, if its time is limited", async () => {
    const script = "echo ready; echo waits >&2; exec sleep 60";
    const [limited, unlimited] = [start(script, { wallMs: 1000 }), start(script)];
    await Promise.all([limited.says("ready"), unlimited.says("ready")]);
    await pass(59_999);
    expect(limited.state.kills).toBe(0);
    await pass(1);
    expect(await limited.box.ended).toMatchObject({ cause: "not_started", detail: "waits" });
    await pass(1_000_000);
    expect(unlimited.state.kills).toBe(0);
  });

  it("that has ended signals no process, whose number another one may have by now", async () => {
    const { box } = start('echo "exit 0" >&4');
    await box.ended;
    const signal = vi.spyOn(process, "kill");
    box.kill();
    expect(signal).not.toHaveBeenCalled();
    signal.mockRestore();
  });

  it("has a minute for its files after its program's exit, if its time is limited", async () => {
    const script =
      'echo started >&4; echo "exit 0" >&4; read go; echo "exit 1" >&4; echo again; exec sleep 60';
    const [limited, unlimited] = [start(script, { wallMs: 1000 }), start(script)];
    await Promise.all([limited.box.exited, unlimited.box.exited]);
    await pass(30_000);
    // However often it says so.
    limited.box.stdin!.write("\n");
    await limited.says("again");
    await new Promise((resolve) => setImmediate(resolve));
    await pass(29_999);
    expect(limited.state.kills).toBe(0);
    await pass(1);
    expect(limited.state.kills).toBeGreaterThan(0);
    expect(await limited.box.ended).toMatchObject({ cause: "exit", code: 0 });
    await pass(1_000_000);
    expect(unlimited.state.kills).toBe(0);
  });

  it("ends when it used more processor time than its limit, until its program's exit", async () => {
    const { box, state, says } = start("echo ready; exec sleep 60", { cpuMs: 20 });
    await says("ready");
    state.cpuMs = 20;
    await pass(1000);
    expect(state.kills).toBe(0);
    state.cpuMs = 21;
    await pass(20);
    expect(await box.ended).toMatchObject({ cause: "cpu" });
    const exited = start('echo "exit 0" >&4; exec sleep 60', { cpuMs: 20 });
    await exited.box.exited;
    exited.state.cpuMs = 21;
    await pass(1000);
    expect(exited.state.kills).toBe(0);
  });

  it("is looked at five times a second, and more often when it could reach its limit of processor time before", async () => {
    const looks = async (cpuMs: number | null, used: number, ms: number) => {
      const { state, says, child } = start("echo ready; exec sleep 60", { cpuMs });
      state.cpuMs = used;
      await says("ready");
      await pass(ms);
      child.kill("SIGKILL");
      return state.looks;
    };
    const all = availableParallelism();
    expect(await looks(null, 0, 1000)).toBe(5);
    expect(await looks(10_000 * all, 0, 1000)).toBe(5);
    expect(await looks(100 * all, 0, 1000)).toBe(10);
    expect(await looks(100 * all, 100 * all, 100)).toBe(1);
    expect(await looks(100 * all, 100 * all, 200)).toBe(6);
  });

  it("whose program holds its output open after the end is over half a second later", async () => {
    const { box, state, child, says } = start('sleep 60 <&- 3<&- & echo "$! ready"; echo "exit 0" >&4');
    await Promise.all([says("ready"), once(child, "exit")]);
    const holder = Number.parseInt(state.text, 10);
    const before = state.kills;
    expect(before).toBeGreaterThan(0);
    await pass(499);
    expect(state.end).toBeNull();
    await pass(1);
    expect(await box.ended).toMatchObject({ cause: "exit", code: 0 });
    process.kill(holder, "SIGKILL");
  });

  it("whose output makes no sense is killed", async () => {
    const { box, state } = start("echo started >&4; echo files >&4; exec sleep 60");
    while (state.kills === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await box.collect("/nowhere", 1)).toBe(false);
    expect(await box.ended).toMatchObject({ cause: "killed", code: null });
    expect(state.kills).toBeGreaterThan(0);
  });

  it("lets a second shell leave when its program has exited", async () => {
    expect(
      (await quick('echo leaving >&3; read request <&3; [ "$request" = leave ] && echo "exit 7" >&4')).code,
    ).toBe(7);
  });

  it("is closed after its program's exit, whichever comes first", async () => {
    const script = 'echo ready; read go; echo "exit 0" >&4; cat <&3; echo closed';
    const early = start(script);
    await early.says("ready");
    early.box.close();
    early.box.stdin!.write("\n");
    await early.box.ended;
    expect(early.state.text).toBe("ready\nclosed\n");
    const late = start(script);
    late.box.stdin!.write("\n");
    await late.box.exited;
    late.box.close();
    await late.box.ended;
    expect(late.state.text).toBe("ready\nclosed\n");
    const asked = start('echo ready; read go; read request <&3; echo "got $request"; echo "exit 0" >&4');
    asked.box.close();
    void asked.box.clear();
    asked.box.stdin!.write("\n");
    await asked.says("got clear");
    const open = start('echo "exit 0" >&4; read request <&3 || echo closed; echo "$request"; exec sleep 60');
    await open.box.exited;
    void open.box.clear();
    await open.says("clear");
    expect(open.state.text).toBe("clear\n");
  });

  describe("that is asked for its files", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "crowdai-supervise-"));
      for (const name of ["out", "into"]) mkdirSync(join(folder, name));
      writeFileSync(join(folder, "out/file"), "12345");
      writeFileSync(join(folder, "out/large"), "x".repeat(100));
      symlinkSync("file", join(folder, "out/link"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const send = () =>
      `echo files >&4; tar --format=ustar -b128 -C ${folder}/out -cf - . >&4; echo collected >&4`;
    const into = () => join(folder, "into");

    it("gives those that are taken, or all up to a number of bytes", async () => {
      const script = `for i in 1 2; do read request <&3; echo "$request"; ${send()}; done; echo "exit 0" >&4`;
      const { box, state } = start(script);
      expect(await box.collect(into(), 50)).toBe(true);
      expect(readdirSync(into())).toEqual(["file"]);
      rmSync(join(into(), "file"));
      expect(await box.collect(into(), ({ name }) => name !== "large")).toBe(true);
      expect(readdirSync(into()).sort()).toEqual(["file", "link"]);
      expect(readlinkSync(join(into(), "link"))).toBe("file");
      await box.ended;
      expect(state.text).toBe("collect\ncollect\n");
    });

    it("answers one request after another", async () => {
      const answers = `read a <&3; echo "$a"; echo collected >&4; read b <&3; echo "$b"; echo cleared >&4`;
      const { box, state } = start(
        `${answers}; read c <&3; echo "$c"; echo collected >&4; echo "exit 0" >&4`,
      );
      const answered = Promise.all([box.collect(into(), 1), box.clear(), box.collect(into(), 1)]);
      expect(await answered).toEqual([true, undefined, true]);
      await box.ended;
      expect(state.text).toBe("collect\nclear\ncollect\n");
      expect(await box.collect(into(), 1)).toBe(false);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("is asked again when its program exits before the answer", async () => {
      const script =
        'read a <&3; echo "exit 0" >&4; read none <&3; read b <&3; echo "$a,$none,$b"; echo collected >&4';
      const { box, state } = start(script);
      expect(await box.collect(into(), 1)).toBe(true);
      await box.ended;
      expect(state.text).toBe("collect,,collect\n");
    });

    it("gives nothing when it ends before the answer, and makes no links then", async () => {
      const { box } = start(
        `read request <&3; echo files >&4; tar --format=ustar -b128 -C ${folder}/out -cf - link >&4`,
      );
      expect(await box.collect(into(), () => true)).toBe(false);
      expect(readdirSync(into())).toEqual([]);
    });

    it("leaves no file open when it ends in the middle of one", async () => {
      const part = `tar --format=ustar -C ${folder}/out -cf - large | head -c 550`;
      const { box } = start(`read request <&3; echo files >&4; ${part} >&4`);
      expect(await box.collect(into(), 1000)).toBe(false);
      const open = readdirSync("/proc/self/fd").map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return "";
        }
      });
      expect(readdirSync(into())).toEqual(["large"]);
      expect(open).not.toContain(join(into(), "large"));
    });

    it("is killed when it does not answer within a minute", async () => {
      const { box, state, says } = start("read request <&3; echo ready; exec sleep 60");
      const asked = box.collect(into(), 1);
      await says("ready");
      await pass(59_999);
      expect(state.kills).toBe(0);
      await pass(1);
      expect([await asked, (await box.ended).cause]).toEqual([false, "killed"]);
    });

    it("is killed when it sends more than a box can have", async () => {
      const { box } = start(
        `read request <&3; echo files >&4; truncate -s 80M ${folder}/out/large; tar --format=ustar -C ${folder}/out -cf - large | head -c 512 >&4; exec sleep 60`,
      );
      expect(await box.collect(into(), () => false)).toBe(false);
      expect(await box.ended).toMatchObject({ cause: "killed" });
    });

    it("may send what its folders can hold, twice, and more for the archive itself", async () => {
      const script = `read request <&3; echo files >&4; truncate -s 80M ${folder}/out/large; tar --format=ustar -C ${folder}/out -cf - large | head -c 512 >&4; read go; echo sent; exec sleep 60`;
      const { box, state, says } = start(script, { scratchBytes: 2 ** 24 });
      void box.collect(into(), () => false);
      box.stdin!.write("\n");
      await says("sent");
      await new Promise((resolve) => setImmediate(resolve));
      expect(state.kills).toBe(0);
    });

    it("is killed when this machine cannot write them, and the caller gets the error", async () => {
      const all = `tar --format=ustar -C ${folder}/out -cf - file | head -c 1024`;
      const { box } = start(`read request <&3; echo files >&4; ${all} >&4; exec sleep 60`);
      await expect(box.collect(`${folder}\0`, 1000)).rejects.toThrow("null bytes");
      expect(await box.ended).toMatchObject({ cause: "killed" });
      expect(await box.collect(into(), 1)).toBe(false);
    });
  });

  it("without descriptors is not started, and its caller removes what it had made once", async () => {
    const child = spawn("/bin/true", { stdio: ["ignore", "pipe", "ignore"] });
    const steps: string[] = [];
    const group = { close: async () => void steps.push("closed") };
    const watch = () =>
      superviseBox({
        ...{ child, group, limits: NO_LIMITS, release: () => steps.push("released") },
      } as never);
    expect(watch).toThrow(
      expect.objectContaining({ code: "unexpected", cause: expect.objectContaining({ code: "EMFILE" }) }),
    );
    await pass(0);
    expect(steps).toEqual([]);
  });
});
