import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { replacePrograms, withoutDescriptors } from "../../testing/replaced-programs.ts";
import { firstBoxUser } from "../bubblewrap/box-users.ts";
import { programFolders } from "../bubblewrap/host-files.ts";
import type { BoxPlan, Sandbox } from "../sandbox.ts";
import { type OciOptions, openOci } from "./oci.ts";
import { RUNTIMES, type RuntimeName } from "./runtimes.ts";

const MEBIBYTE = 2 ** 20;

function createMachine() {
  const machine = replacePrograms();
  const { boxes: folder, groups, find, spawnProcess } = machine;
  for (const name of RUNTIMES) machine.add(name, `[ "$1" = --version ] && echo "${name} version 1.2.3"`);
  for (const name of ["mount", "setpriv", "unshare"]) machine.add(name, "");
  return Object.assign(machine, {
    async open(runtime: RuntimeName, changes: Partial<OciOptions> = {}, uid = 0) {
      const getuid = vi.spyOn(process, "getuid").mockReturnValue(uid);
      const sandbox = await openOci({ runtime, folder, groups, find, spawnProcess, ...changes });
      getuid.mockRestore();
      return "missing" in sandbox ? sandbox.missing : sandbox;
    },
  });
}

const PLAN: BoxPlan = {
  ...{ command: ["/bin/true", "a b"], cwd: "/tmp", env: {}, readable: {}, stdin: "pipe" },
  limits: { memoryBytes: MEBIBYTE, cpuMs: null, wallMs: null, processes: 10, scratchBytes: MEBIBYTE },
};

describe("a machine without what a runtime needs has no boxes, and says why", () => {
  let machine: ReturnType<typeof createMachine>;
  beforeEach(() => {
    machine = createMachine();
  });
  afterEach(() => machine.remove());

  it("without control groups", async () => {
    expect(await machine.open("runc", { groups: null })).toContain("may not make control groups");
  });

  it("without root", async () => {
    expect(await machine.open("runc", {}, 1000)).toBe("the grader does not run as root");
  });

  it.each([
    ["platform", "darwin", "boxes need Linux"],
    ["arch", "mips", "there is no list of system calls for mips"],
  ] as const)("on another %s", async (name, value, missing) => {
    const original = Object.getOwnPropertyDescriptor(process, name)!;
    Object.defineProperty(process, name, { ...original, value });
    const found = await machine.open("runc").finally(() => Object.defineProperty(process, name, original));
    expect(found).toBe(missing);
  });

  it.each(["mount", "setpriv", "unshare"])("without %s", async (name) => {
    rmSync(join(machine.programs, name));
    expect(await machine.open("runc")).toBe(`${name} (util-linux) is not installed`);
  });

  it.each(RUNTIMES)("without %s, even when there is another runtime", async (name) => {
    rmSync(join(machine.programs, name));
    expect(await machine.open(name)).toBe(`${name} is not installed`);
  });

  it("with a runtime that does not start", async () => {
    machine.add("runc", "exit 1");
    expect(await machine.open("runc")).toBe(`${join(machine.programs, "runc")} cannot be started`);
    expect(existsSync(machine.boxes)).toBe(false);
  });

  it("but not without a number of the runtime's version, which it says without the grader's environment", async () => {
    machine.add("runc", '[ -z "$HOME" ] && echo unknown');
    expect(await machine.open("runc")).toMatchObject({ name: "runc of an unknown version, test groups" });
  });
});

describe.each(RUNTIMES)("a box of %s", (name) => {
  /** Called instead of the system's, with the program of the box to run. Notes what it sees. */
  const SPY = `
cd ${"$"}{0%/*} && printf '%s\n' "$OLDPWD" > pwd
printf '%s\n' "$@" > arguments
export -p > environment
echo $$ > id
read -r _ _ _ _ _ session _ < /proc/$$/stat
echo $session > session
cat ../work/boxes/bundle-*/config.json > config.json
ls -l ../work/boxes/box-* ../work/boxes/bundle-*/rootfs > folders
echo started >&4; echo 'exit 3' >&4; cat <&3`;

  let machine: ReturnType<typeof createMachine>;
  let sandbox: Sandbox;
  beforeAll(async () => {
    machine = createMachine();
    mkdirSync(machine.boxes, { recursive: true });
    writeFileSync(join(machine.boxes, "left"), "");
    sandbox = (await machine.open(name)) as Sandbox;
  });
  beforeEach(() => machine.add("setpriv", SPY));
  afterAll(() => machine.remove());
  const start = (plan: Partial<BoxPlan> = {}) => sandbox.start({ ...PLAN, ...plan });
  const run = (plan?: Partial<BoxPlan>) => {
    const box = start(plan);
    void box.exited.then(box.close);
    return box.ended;
  };

  const lines = (file: string) => readFileSync(join(machine.programs, file), "utf8").trimEnd().split("\n");
  const config = () => JSON.parse(lines("config.json")[0]!);
  const binds = (): string[] =>
    config()
      .mounts.filter(({ source }: { source: string }) => source.startsWith("/tmp/"))
      .map(({ destination }: { destination: string }) => destination);
  const users = () =>
    (config().linux.uidMappings ?? []).map(
      ({ hostID }: { hostID: number }) => hostID - firstBoxUser(process.pid),
    );

  it("has a folder that is closed to others, and was emptied", () => {
    expect(readdirSync(machine.boxes)).toEqual(["etc"]);
    expect(statSync(machine.boxes).mode & 0o777).toBe(0o700);
    expect(sandbox.name).toBe(`${name} 1.2.3, test groups`);
  });

  it("is made by the runtime, in namespaces of mounts and processes that end with the grader", async () => {
    const { programs, groups } = machine;
    groups.joinFiles = [join(programs, "members")];
    expect(await run()).toMatchObject({ cause: "exit", code: 3 });
    groups.joinFiles = [];
    const args = lines("arguments");
    const [unshare, mount, runtime] = ["unshare", "mount", name].map((one) => join(programs, one));
    expect(args.slice(0, 3)).toEqual(["--pdeathsig", "KILL", "--"]);
    expect(args.slice(3, 11)).toEqual([
      ...[unshare, "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"],
    ]);
    expect(args.slice(11, 14)).toEqual(["--", "/bin/sh", "-c"]);
    const scripts = args.slice(14, args.lastIndexOf(mount!)).join("\n");
    expect(scripts.includes("mkfifo")).toBe(name === "runsc");
    const own = args.slice(args.lastIndexOf(mount!));
    expect(own[1]).toMatch(/\/boxes\/bundle-\w+\/mounts$/);
    const id = own.at(-1)!;
    expect(id).toMatch(`crowdai-${process.pid}-bundle-`);
    expect(own.slice(2)).toEqual(
      name === "runc"
        ? [
            ...[runtime, "--root", "/mnt/state", "--rootless", "true", "run", "--bundle", "/mnt"],
            ...["--preserve-fds", "2", id],
          ]
        : [
            ...[runtime, "--root", "/mnt/state", "--ignore-cgroups", "--network=none", "--oci-seccomp"],
            ...["--host-fifo=open", "--host-uds=none", "run", "--bundle", "/mnt", id],
          ],
    );
    expect(lines("members")).toEqual(lines("id"));
    // A signal to the grader's process group does not reach it.
    expect(lines("session")).toEqual(lines("id"));
    expect(lines("environment").filter((line) => !/^(export (PWD|OLDPWD|SHLVL|_)\b.*)?$/.test(line))).toEqual(
      [],
    );
    expect(lines("pwd")).toEqual(["/"]);
  });

  it("runs the plan's command below the attendant, with the programs of this machine and an /etc of its own", async () => {
    await run();
    const [shell, option, attendant, box, ...command] = config().process.args;
    expect([shell, option, box, ...command]).toEqual(["/bin/sh", "-c", "box", "/bin/true", "a b"]);
    expect(attendant.split("\n")[0]).toBe(
      name === "runc" ? "exec 5>&3" : "exec 3</box/requests 4>/box/output 5>/box/notices || exit 125",
    );
    expect(attendant).toContain("echo started >&4");
    expect(binds()).toEqual(expect.arrayContaining(["/usr", "/etc"]));
    expect(binds()).not.toContain("/job");
    const folders = readFileSync(join(machine.programs, "folders"), "utf8");
    expect(folders).toContain(` -> ${join(machine.boxes, "etc")}\n`);
    for (const [target, path] of programFolders().links)
      expect(folders).toContain(` ${path.slice(1)} -> ${target}\n`);
    expect(config().linux.seccomp.defaultErrnoRet).toBe(38);
  });

  it("has the programs of an image instead, without this machine's /etc, and its inbox at /job", async () => {
    const image = join(machine.folder, "image");
    for (const path of ["opt", "data", "inbox"]) mkdirSync(join(image, path), { recursive: true });
    const readable = { "/data": join(image, "opt"), "/inbox": join(image, "inbox") };
    await run({ root: image, readable, inbox: join(image, "inbox") });
    expect(binds()).toEqual(["/opt", "/data", "/inbox", "/job"]);
  });

  it("has a group with the plan's limits, and what the runtime needs itself", async () => {
    const { groups } = machine;
    groups.limits.length = 0;
    await run();
    await run({ limits: { ...PLAN.limits, memoryBytes: null } });
    const processes = name === "runc" ? 10 + 6 + 32 : 10 + 6 + 512;
    expect(groups.limits).toEqual([
      { memoryBytes: (name === "runc" ? 5 : 65) * MEBIBYTE, processes },
      { memoryBytes: null, processes },
    ]);
    expect(groups.open()).toBe(0);
  });

  it("that has ended, or cannot be started, leaves nothing, and its users to the next", async () => {
    const { groups, boxes } = machine;
    const own = name === "runc" ? [0, 1] : [];
    await run();
    expect(users()).toEqual(own);
    expect(() => start({ readable: { "/usr/inside": "/usr" } })).toThrow("is inside of another part");
    groups.refuses = true;
    expect(() => start()).toThrow("no more groups");
    groups.refuses = false;
    machine.startProcess = withoutDescriptors;
    // The job returns to the queue.
    expect(() => start()).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: "EMFILE" }) }),
    );
    machine.startProcess = spawn;
    await vi.waitFor(() => expect(groups.open()).toBe(0));
    expect(readdirSync(boxes)).toEqual(["etc"]);
    await run();
    expect(users()).toEqual(own);
    expect(readdirSync(boxes)).toEqual(["etc"]);
  });

  it("is tested with files in the folder of boxes, which the next grader empties", async () => {
    machine.add("setpriv", `echo ${machine.boxes}/test-* >> ${machine.programs}/tested; exit 1`);
    const { enforced } = await sandbox.selfTest();
    expect(enforced).toEqual([]);
    expect(lines("tested")[0]).toMatch(/\/boxes\/test-\w+$/);
    expect(readdirSync(machine.boxes)).toEqual(["etc"]);
  });
});
