import { describe, expect, it } from "vitest";
import { FLAGS, MADE, starterArguments, starterPlan } from "./starter.ts";

const limits = {
  ...{ fileBytes: 10, coreBytes: 11, processes: 12, openFiles: 13, lockedBytes: 14 },
  ...{ pendingSignals: 15, queueBytes: 16, nice: 17, realTime: 18 },
};
const mounts = [{ type: "tmpfs", source: "none", target: "/a b", flags: FLAGS.nowReadOnly, data: "" }];

describe("the plan of a starter", () => {
  it("begins with its length, and names the user, the limits by their numbers, the mounts and the command", () => {
    const plan = starterPlan({ user: 7, mounts, limits, command: ["/bin/bwrap", "--", "ä"] }).toString();
    expect(plan).toMatch(/^\d{8}7\0/);
    expect(Number(plan.slice(0, 8))).toBe(Buffer.byteLength(plan) - 8);
    const numbers = "1 10 4 11 6 12 7 13 8 14 11 15 12 16 13 17 14 18";
    expect(plan.slice(8).split("\0")).toEqual([
      ...["7", ...numbers.split(" "), "--"],
      ...["tmpfs", "none", "/a b", "33", "", "--", "/bin/bwrap", "--", "ä"],
    ]);
  });

  it("is refused with a null byte in any of its fields, which would begin another field", () => {
    const plan = { user: 7, mounts, limits, command: ["/bin/true"] };
    expect(() => starterPlan({ ...plan, command: ["/bin/true", "a\0--bind"] })).toThrow("null bytes");
    expect(() => starterPlan({ ...plan, mounts: [{ ...mounts[0]!, data: "\0" }] })).toThrow("null bytes");
  });
});

it("a starter knows the numbers of its calls, its parent and the groups that it joins", () => {
  const args = starterArguments(["/groups/a", "/groups/b"], "x64");
  expect([args[0], args[2]]).toEqual(["-e", "--"]);
  expect(args.slice(-3)).toEqual([String(process.pid), "/groups/a", "/groups/b"]);
  // As in the kernel's tables; the first is unshare, the second mount.
  expect(args.slice(3, -3).join(" ")).toBe("272 165 259 302 116 119 117 157");
  const calls = starterArguments([], "arm64").slice(3, -1);
  expect(calls.join(" ")).toBe("97 40 33 261 159 149 147 167");
});

it("flags of a mount are those of the kernel, and what is made instead has a type of its own", () => {
  expect(FLAGS).toEqual({ none: 0, readOnly: 1, nowReadOnly: 33, bind: 4096, move: 8192 });
  expect(new Set(Object.values(MADE)).size).toBe(3);
});
