import { describe, expect, it } from "vitest";
import allowedSyscalls from "./allowed-syscalls.json" with { type: "json" };
import { seccompFilter } from "./seccomp.ts";
import numbers from "./syscall-numbers.json" with { type: "json" };

const ALLOWED = 0x7fff0000;
const KILLED = 0x80000000;
const refused = (errno: number) => 0x00050000 + errno;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [refused(1), refused(38), refused(97)];
const TOKENS = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Runs a filter as the kernel does: forward jumps over 8-byte instructions, one register of 32 bits. */
function answer(filter: Buffer, token: number, call: number, args: readonly bigint[] = []): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call >>> 0, 0);
  data.writeUInt32LE(token, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(value, 16 + 8 * index);
  let register = 0;
  for (let at = 0; ; ) {
    const code = filter.readUInt16LE(at);
    const value = filter.readUInt32LE(at + 4);
    const jump = (holds: boolean) => {
      at += 8 * filter.readUInt8(at + (holds ? 2 : 3));
    };
    if (code === 0x20) register = data.readUInt32LE(value);
    else if (code === 0x54) register = (register & value) >>> 0;
    else if (code === 0x15) jump(register === value);
    else if (code === 0x35) jump(register >= value);
    else if (code === 0x25) jump(register > value);
    else if (code === 0x45) jump((register & value) !== 0);
    else if (code === 0x06) return value;
    else throw new Error(`The kernel knows no instruction ${code}.`);
    at += 8;
  }
}

describe.each(["x64", "arm64"] as const)("the filter of system calls on %s", (arch) => {
  const filter = () => seccompFilter(arch)!;
  const known: Record<string, number | undefined> = numbers[arch];
  const ask = (name: string, ...args: bigint[]) => answer(filter(), TOKENS[arch], known[name]!, args);

  it("allows the calls of the list, and answers all others that the kernel does not have them", () => {
    const program = filter();
    const allowed = new Set(allowedSyscalls.map((name) => known[name]));
    const withRules = new Set(["clone", "ioctl", "socket"].map((name) => known[name]));
    for (let call = 0; call < 700; call++)
      if (!withRules.has(call))
        expect([call, answer(program, TOKENS[arch], call)]).toEqual([
          call,
          allowed.has(call) ? ALLOWED : ENOSYS,
        ]);
    for (const call of [-1, 2 ** 30 + known.read!]) expect(answer(program, TOKENS[arch], call)).toBe(ENOSYS);
  });

  it("kills a program that makes the calls of another architecture", () => {
    const other = arch === "x64" ? TOKENS.arm64 : TOKENS.x64;
    for (const token of [other, 0x40000003]) expect(answer(filter(), token, known.read!)).toBe(KILLED);
  });

  it("allows new threads and processes, but no new namespaces", () => {
    for (const flags of [17n, 0x3d0f00n]) expect(ask("clone", flags)).toBe(ALLOWED);
    for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n])
      expect(ask("clone", flag | 17n)).toBe(EPERM);
  });

  it("refuses requests that write into a terminal, whatever the higher bits", () => {
    for (const request of [0x5412n, 0x541cn, 0xffff_ffff_0000_5412n])
      expect(ask("ioctl", 3n, request)).toBe(EPERM);
    for (const request of [0x5401n, 0x5413n]) expect(ask("ioctl", 0x5412n, request)).toBe(ALLOWED);
  });

  it("allows sockets of the internet and of the box, but no raw ones and no other families", () => {
    for (const socket of [
      [1n, 5n],
      [2n, 1n | 0o2000000n],
      [2n, 2n],
      [10n, 1n],
      [10n, 2n],
      [16n, 3n, 0n],
    ])
      expect([socket, ask("socket", ...socket)]).toEqual([socket, ALLOWED]);
    for (const socket of [
      [2n, 3n],
      [2n, 3n | 0o4000n],
      [10n, 3n],
      [2n, 10n],
      [10n, 10n],
    ])
      expect([socket, ask("socket", ...socket)]).toEqual([socket, EPERM]);
    for (const socket of [
      [0n, 1n],
      [17n, 3n],
      [38n, 1n],
      [40n, 1n],
      [44n, 1n],
      [16n, 3n, 9n],
    ])
      expect([socket, ask("socket", ...socket)]).toEqual([socket, EAFNOSUPPORT]);
  });

  it("is short enough for the kernel", () => {
    expect(filter().length / 8).toBeLessThan(4096);
  });

  it("joins neighbors in the list, so that a call passes few instructions", () => {
    const listed = allowedSyscalls.flatMap((name) => known[name] ?? []);
    const first = listed.filter((call) => !listed.includes(call - 1));
    const around = 4 + 5 + 6 + 15 + 1;
    expect(filter().length / 8).toBe(3 * first.length + around);
  });
});

it("there is no filter for an architecture without a list", () => {
  expect(seccompFilter("mips")).toBeNull();
});
