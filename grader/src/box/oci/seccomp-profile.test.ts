import { describe, expect, it } from "vitest";
import allowedSyscalls from "../bubblewrap/allowed-syscalls.json" with { type: "json" };
import { RUNTIMES, runtimes } from "./runtimes.ts";
import { seccompProfile } from "./seccomp-profile.ts";

describe("the filter of system calls", () => {
  const rules = seccompProfile("x64", runtimes.runc)!.syscalls;
  const allows = (name: string, ...values: bigint[]) =>
    rules.some(
      (rule) =>
        rule.names.includes(name) &&
        (rule.args ?? []).every(
          ({ index, value, valueTwo }) => ((values[index] ?? 0n) & BigInt(value)) === BigInt(valueTwo!),
        ),
    );

  it("exists for x64 and arm64, and for no architecture without a list", () => {
    expect(seccompProfile("x64", runtimes.runc)?.architectures).toEqual(["SCMP_ARCH_X86_64"]);
    expect(seccompProfile("arm64", runtimes.runc)?.architectures).toEqual(["SCMP_ARCH_AARCH64"]);
    expect(seccompProfile("mips", runtimes.runc)).toBeNull();
  });

  it("allows the calls of the list, and answers all others that the kernel does not have them", () => {
    for (const runtime of RUNTIMES) {
      const { refusal } = runtimes[runtime];
      const { defaultAction, defaultErrnoRet, syscalls } = seccompProfile("x64", { refusal })!;
      expect([defaultAction, defaultErrnoRet]).toEqual([refusal, 38]);
      expect(syscalls[0]).toEqual({ names: allowedSyscalls, action: "SCMP_ACT_ALLOW" });
      expect(new Set(syscalls.slice(1).flatMap(({ names }) => names))).toEqual(
        new Set(["clone", "ioctl", "socket"]),
      );
    }
    expect(runtimes.runc.refusal).toBe("SCMP_ACT_ERRNO");
    expect(runtimes.runsc.refusal).toBe("SCMP_ACT_TRACE");
    for (const name of ["clone", "clone3", "ioctl", "socket", "unshare", "mount", "ptrace"])
      expect(allowedSyscalls).not.toContain(name);
  });

  it("compares the bits of arguments that the kernel reads, each argument once per rule", () => {
    expect(new Set(rules.map((rule) => JSON.stringify(rule))).size).toBe(rules.length);
    for (const { args = [] } of rules) {
      expect(new Set(args.map(({ index }) => index)).size).toBe(args.length);
      for (const { op, value, valueTwo } of args) {
        expect(op).toBe("SCMP_CMP_MASKED_EQ");
        expect([value > 0 && value <= 0xffffffff, valueTwo! >= 0 && valueTwo! <= value]).toEqual([
          true,
          true,
        ]);
      }
    }
  });

  it("refuses ptrace, so that no tracer decides on what it refuses", () => {
    for (const runtime of RUNTIMES) {
      const profile = seccompProfile("x64", runtimes[runtime])!;
      expect(profile.syscalls.flatMap(({ names }) => names)).not.toContain("ptrace");
    }
  });

  it("allows ioctl with every request but the two that write into a terminal, whatever the higher bits", () => {
    for (const request of [0x5412n, 0x541cn, 0x1_0000_5412n, 0xffff_ffff_0000_541cn])
      expect([request, allows("ioctl", 3n, request)]).toEqual([request, false]);
    for (let bit = 0n; bit < 32n; bit++) {
      expect(allows("ioctl", 3n, 0x5412n ^ (1n << bit))).toBe(true);
      expect(allows("ioctl", 3n, 0x541cn ^ (1n << bit))).toBe(true);
    }
    for (let request = 0x5400n; request < 0x5480n; request++)
      expect(allows("ioctl", 3n, request)).toBe(request !== 0x5412n && request !== 0x541cn);
  });

  it("allows new threads and processes, but no new namespaces", () => {
    expect(allows("clone", 17n)).toBe(true);
    expect(allows("clone", 0x3d0f00n)).toBe(true);
    for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n])
      expect(allows("clone", flag | 17n)).toBe(false);
    expect(allows("unshare", 0n)).toBe(false);
  });

  it("allows sockets of the internet and of the box, but no raw ones and no other families", () => {
    expect(allows("socket", 1n, 5n)).toBe(true);
    expect(allows("socket", 2n, 1n | 0o2000000n)).toBe(true);
    expect(allows("socket", 10n, 2n)).toBe(true);
    expect(allows("socket", 16n, 3n, 0n)).toBe(true);
    expect(allows("socket", 16n, 2n, 0n)).toBe(true);
    for (const [family, kinds] of [
      [2n, [1n, 2n, 4n, 5n]],
      [10n, [1n, 2n, 4n, 5n]],
    ] as const)
      for (let kind = 0n; kind < 16n; kind++)
        expect([family, kind, allows("socket", family, kind)]).toEqual([
          family,
          kind,
          kinds.includes(kind as 1n),
        ]);
    expect(allows("socket", 2n, 3n, 1n)).toBe(false);
    expect(allows("socket", 10n, 10n)).toBe(false);
    expect(allows("socket", 16n, 3n, 9n)).toBe(false);
    for (const family of [17n, 38n, 40n, 44n]) expect(allows("socket", family, 1n)).toBe(false);
  });
});
