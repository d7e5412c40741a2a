import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { replacePrograms, withoutDescriptors } from "../../testing/replaced-programs.ts";
import type { BoxPlan, Sandbox } from "../sandbox.ts";
import { processLimits } from "./arguments.ts";
import { firstBoxUser } from "./box-users.ts";
import { type BubblewrapOptions, openBubblewrap } from "./bubblewrap.ts";
import { seccompFilter } from "./seccomp.ts";
import { DESCRIPTORS, starterPlan } from "./starter.ts";
import { closeWaiting } from "./starters.ts";

const MEBIBYTE = 2 ** 20;

function createMachine() {
  const machine = replacePrograms();
  machine.add("bwrap", '[ "$1" = --version ] && [ -z "$HOME" ] && echo "bubblewrap 1.2.3"');
  // Answers as the attendant of a box does that ends at once.
  machine.add(
    "perl",
    `cat <&${DESCRIPTORS.arguments} > $0.$$; mv $0.$$ \${0%/*}/plan; echo started >&${DESCRIPTORS.output}; echo 'exit 3' >&${DESCRIPTORS.output}; cat <&${DESCRIPTORS.requests}`,
  );
  const { boxes: folder, groups, find, spawnProcess } = machine;
  return Object.assign(machine, {
    async open(changes: Partial<BubblewrapOptions> = {}, uid = 0) {
      const getuid = vi.spyOn(process, "getuid").mockReturnValue(uid);
      const sandbox = await openBubblewrap({ folder, groups, find, spawnProcess, ...changes });
      getuid.mockRestore();
      return "missing" in sandbox ? sandbox.missing : sandbox;
    },
  });
}

const PLAN: BoxPlan = {
  ...{ command: ["/bin/true", "a b"], cwd: "/tmp", env: { LANG: "C" }, readable: {}, stdin: "pipe" },
  limits: { memoryBytes: 32 * MEBIBYTE, cpuMs: null, wallMs: null, processes: 10, scratchBytes: MEBIBYTE },
};

describe("a machine without what bubblewrap needs has no boxes, and says why", () => {
  let machine: ReturnType<typeof createMachine>;
  beforeEach(() => {
    machine = createMachine();
  });
  afterEach(() => machine.remove());

  it("without control groups", async () => {
    expect(await machine.open({ groups: null })).toContain("may not make control groups");
  });

  it("without root", async () => {
    expect(await machine.open({}, 1000)).toBe("the grader does not run as root");
  });

  it.each([
    ["platform", "darwin", "boxes need Linux"],
    ["arch", "mips", "there is no list of system calls for mips"],
  ] as const)("on another %s", async (name, value, missing) => {
    const original = Object.getOwnPropertyDescriptor(process, name)!;
    Object.defineProperty(process, name, { ...original, value });
    const found = await machine.open().finally(() => Object.defineProperty(process, name, original));
    expect(found).toBe(missing);
  });

  it.each([
    ["bwrap", "bubblewrap is not installed"],
    ["perl", "perl is not installed"],
  ])("without %s", async (name, missing) => {
    rmSync(join(machine.programs, name));
    expect(await machine.open()).toBe(missing);
  });

  it.each([0o4755, 0o2755])("with a setuid bubblewrap, which has let programs escape: %o", async (mode) => {
    chmodSync(join(machine.programs, "bwrap"), mode);
    expect(await machine.open()).toBe(
      `${join(machine.programs, "bwrap")} is setuid, which has let programs escape`,
    );
  });

  it("with a bubblewrap that does not start", async () => {
    machine.add("bwrap", "exit 1");
    expect(await machine.open()).toBe(`${join(machine.programs, "bwrap")} cannot be started`);
    expect(existsSync(machine.boxes)).toBe(false);
  });
});

it("a machine with all of that has boxes, whose folder may be missing", async () => {
  const machine = createMachine();
  expect(await machine.open()).toMatchObject({ name: "bubblewrap 1.2.3, test groups" });
  machine.remove();
});

describe("a box of bubblewrap", () => {
  let machine: ReturnType<typeof createMachine>;
  let sandbox: Sandbox;
  beforeAll(async () => {
    machine = createMachine();
    mkdirSync(machine.boxes, { recursive: true });
    writeFileSync(join(machine.boxes, "left"), "");
    sandbox = (await machine.open()) as Sandbox;
  });
  afterEach(() => {
    machine.groups.refuses = false;
    machine.startProcess = spawn;
  });
  afterAll(() => {
    closeWaiting();
    machine.remove();
  });
  const start = (plan: Partial<BoxPlan> = {}) => sandbox.start({ ...PLAN, ...plan });
  const run = (plan?: Partial<BoxPlan>) => {
    const box = start(plan);
    void box.exited.then(box.close);
    return box.ended;
  };
  const OWN = ["etc", "filter", "root"];

  /** The plan for the starter, and the options of bubblewrap that follow it. */
  function received() {
    const bytes = readFileSync(join(machine.programs, "plan"));
    const size = 8 + Number(bytes.subarray(0, 8));
    const fields = bytes.subarray(8, size).toString().split("\0");
    const options = bytes.subarray(size).toString().split("\0");
    return {
      bytes: bytes.subarray(0, size),
      fields,
      options,
      user: Number(fields[0]) - firstBoxUser(process.pid),
    };
  }

  it("has a folder that is closed to others, was emptied, and holds the filter of system calls", () => {
    expect(readdirSync(machine.boxes).sort()).toEqual(OWN);
    expect(statSync(machine.boxes).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(machine.boxes, "root"))).toEqual([]);
    expect(readFileSync(join(machine.boxes, "filter"))).toEqual(Buffer.from(seccompFilter(process.arch)!));
    expect(sandbox.name).toBe("bubblewrap 1.2.3, test groups");
  });

  it("gets the plan of its starter, and then the options of bubblewrap, each with its end", async () => {
    expect(await run()).toMatchObject({ cause: "exit", code: 3 });
    const { bytes, fields, options, user } = received();
    const command = fields.slice(fields.lastIndexOf(join(machine.programs, "bwrap")));
    expect(command.slice(1, 6)).toEqual(["--args", String(DESCRIPTORS.arguments), "--", "/bin/sh", "-c"]);
    expect(command[6]).toMatch(/^exec 5>&3\n[\s\S]*echo started >&4\n/);
    expect(command.slice(7)).toEqual(["box", "/bin/true", "a b"]);
    const limits = starterPlan({
      ...{ user: firstBoxUser(process.pid) + user, mounts: [], limits: processLimits(PLAN), command: [] },
    });
    expect(bytes.toString()).toContain(limits.toString().slice(8, -2));
    expect(fields).toEqual(expect.arrayContaining([join(machine.boxes, "root"), join(machine.boxes, "etc")]));
    expect(options.at(-1)).toBe("");
    expect(options.join(" ")).toContain("--setenv LANG C --setenv PATH ");
    expect(options.join(" ")).toMatch(/--ro-bind \/tmp\/\d+ \/etc /);
    expect(options.join(" ")).not.toContain(" /job ");
    for (const name of ["bin", "sbin"]) if (existsSync(`/${name}`)) expect(options).toContain(`/${name}`);
  });

  it("has the programs of an image instead, without this machine's /etc, and its inbox at /job", async () => {
    const image = join(machine.folder, "image");
    for (const path of ["opt", "data", "inbox"]) mkdirSync(join(image, path), { recursive: true });
    const readable = { "/data": join(image, "opt"), "/inbox": join(image, "inbox") };
    await run({ root: image, readable, inbox: join(image, "inbox") });
    const text = received().options.join(" ");
    expect(
      [...text.matchAll(/--ro-bind \/tmp\/\w+ (\S+)/g)]
        .map(([, path]) => path)
        .filter((path) => !path!.startsWith("/proc/")),
    ).toEqual([...["/opt", "/data", "/inbox", "/job"]]);
  });

  it("has a group with the plan's limits, and processes for what the box itself needs", async () => {
    const { groups } = machine;
    await run({ stdin: 0 });
    expect(groups.limits).toContainEqual({ memoryBytes: 32 * MEBIBYTE, processes: 16 });
    await expect.poll(() => groups.open()).toBe(1);
  });

  it("that has ended, or cannot be started, leaves nothing, and its user to the next", async () => {
    const { groups, boxes } = machine;
    const file = join(machine.folder, "file");
    writeFileSync(file, "");
    await run({ readable: { "/a": file } });
    expect([received().user, readdirSync(boxes).sort()]).toEqual([0, OWN]);
    expect(() => start({ readable: { "/usr/inside": "/usr" } })).toThrow("is inside of another part");
    const waiting = machine.spawned.length;
    expect(() => start({ command: ["/bin/true", "a\0--bind"], readable: { "/a": file } })).toThrow(
      "null bytes",
    );
    expect(machine.spawned).toHaveLength(waiting);
    groups.refuses = true;
    expect(() => start({ stdin: 0, readable: { "/a": file } })).toThrow("no more groups");
    groups.refuses = false;
    machine.startProcess = withoutDescriptors;
    // The job returns to the queue.
    expect(() => start({ stdin: 0, readable: { "/a": file } })).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: "EMFILE" }) }),
    );
    machine.startProcess = spawn;
    await expect.poll(() => groups.open()).toBeLessThan(2);
    expect(readdirSync(boxes).sort()).toEqual(OWN);
    await run();
    expect(received().user).toBe(0);
  });

  it("is tested with files in the folder of boxes, which the next grader empties", async () => {
    machine.add("perl", `echo ${machine.boxes}/test-* >> ${machine.programs}/tested; exit 1`);
    closeWaiting();
    const { enforced } = await sandbox.selfTest();
    expect(enforced).toEqual([]);
    expect(readFileSync(join(machine.programs, "tested"), "utf8")).toMatch(/\/boxes\/test-\w+\n/);
    expect(readdirSync(machine.boxes).sort()).toEqual(OWN);
  });
});
