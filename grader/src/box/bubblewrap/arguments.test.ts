import { describe, expect, it } from "vitest";
import type { BoxLimits, BoxPlan } from "../sandbox.ts";
import { bubblewrapArguments, processLimits } from "./arguments.ts";
import { hiddenFiles } from "./host-files.ts";
import { DESCRIPTORS } from "./starter.ts";

const MEBIBYTE = 2 ** 20;
/** Options of bubblewrap with more than no value. */
const VALUES: Record<string, number> = {
  ...{ "--uid": 1, "--gid": 1, "--cap-drop": 1, "--hostname": 1, "--setenv": 2, "--proc": 1, "--ro-bind": 2 },
  ...{ "--dev-bind": 2, "--perms": 1, "--size": 1, "--tmpfs": 1, "--symlink": 2, "--remount-ro": 1 },
  ...{ "--chdir": 1, "--seccomp": 1 },
};

function optionsOf(changes: Partial<BoxPlan> = {}, limits: Partial<BoxLimits> = {}): string[] {
  const plan: BoxPlan = {
    ...{ command: ["/bin/true"], cwd: "/code", env: {}, readable: {}, stdin: "pipe" },
    ...changes,
    limits: {
      ...{ memoryBytes: null, cpuMs: null, wallMs: null, processes: 10, scratchBytes: MEBIBYTE },
      ...limits,
    },
  };
  const parts = {
    mounts: [],
    sources: new Map([
      ["/usr", "/tmp/0"],
      ["/data/a", "/tmp/1/file"],
    ]),
    ...{ devices: "/tmp/dev", nothing: "/tmp/nothing", remove() {} },
  };
  const args = bubblewrapArguments(plan, [["usr/bin", "/bin"]], parts);
  const options: string[] = [];
  while (args.length > 0) options.push(args.splice(0, 1 + (VALUES[args[0]!] ?? 0)).join(" "));
  return options;
}

describe("bubblewrap", () => {
  it.each([
    ...["--unshare-all", "--unshare-user", "--uid 1000", "--gid 1000", "--disable-userns", "--as-pid-1"],
    ...["--die-with-parent", "--new-session", "--cap-drop ALL", "--hostname box", "--clearenv"],
    `--seccomp ${DESCRIPTORS.filter}`,
  ])("gets %s, so that nothing of the machine is shared and no right is left", (option) => {
    expect(optionsOf()).toContain(option);
  });

  it("gives the program the environment of the plan alone, whose paths are those of the box", () => {
    const options = optionsOf({ env: { LANG: "C", PATH: "/evil", HOME: "/root" } });
    expect(options.filter((option) => option.startsWith("--setenv"))).toEqual([
      ...["--setenv LANG C", "--setenv PATH /usr/local/bin:/usr/bin:/bin"],
      ...["--setenv HOME /tmp", "--setenv TMPDIR /tmp"],
    ]);
    expect(options.indexOf("--clearenv")).toBeLessThan(options.indexOf("--setenv LANG C"));
  });

  it("mounts what the plan names, for reading only, into a root that is closed at last", () => {
    const options = optionsOf();
    const mounts = options.slice(options.indexOf("--proc /proc"));
    const hidden = hiddenFiles().map((path) => `--ro-bind /tmp/nothing ${path}`);
    expect(hidden).not.toEqual([]);
    const empty = ["/dev/shm", "/tmp", "/out"];
    expect(mounts).toEqual([
      ...["--proc /proc", ...hidden, "--dev-bind /tmp/dev /dev"],
      ...empty.flatMap((path) => ["--perms 1777", `--size ${MEBIBYTE}`, `--tmpfs ${path}`]),
      ...["--symlink usr/bin /bin", "--ro-bind /tmp/0 /usr", "--ro-bind /tmp/1/file /data/a"],
      ...["--remount-ro /", "--chdir /code", `--seccomp ${DESCRIPTORS.filter}`],
    ]);
  });

  it("gives shared memory 64 MiB at most", () => {
    const sizes = optionsOf({}, { scratchBytes: 100 * MEBIBYTE }).filter((option) =>
      option.startsWith("--size"),
    );
    expect(sizes).toEqual([64, 100, 100].map((size) => `--size ${size * MEBIBYTE}`));
  });
});

it("each process of a box has limits too, with some processes for what starts and serves the box", () => {
  const limits = { memoryBytes: null, cpuMs: null, wallMs: null, processes: 10, scratchBytes: 5000 };
  expect(processLimits({ limits } as BoxPlan)).toEqual({
    ...{ processes: 16, openFiles: 4096, fileBytes: 5000, pendingSignals: 4096, coreBytes: 0 },
    ...{ lockedBytes: 65536, queueBytes: 0, realTime: 0, nice: 0 },
  });
});
