import allowedSyscalls from "../bubblewrap/allowed-syscalls.json" with { type: "json" };
import type { Runtime } from "./runtimes.ts";

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
};
const ENOSYS = 38;
const LOW_32_BITS = 0xffffffff;

/** Calls that are allowed with some arguments only. */
const NEW_NAMESPACES = 0x7e020000;
/** Write into the input of a terminal: TIOCSTI and TIOCLINUX. */
const TERMINAL_INPUT = [0x5412, 0x541c];
const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 };
/** Stream, datagram, reliable datagram and sequenced packet. Raw and packet are missing. */
const SOCKET_TYPES = [1, 2, 4, 5];
const SOCKET_TYPE = 0xf;

interface Condition {
  index: number;
  value: number;
  valueTwo?: number;
  op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ";
}

interface Rule {
  names: readonly string[];
  action: "SCMP_ACT_ALLOW";
  args?: readonly Condition[];
}

/** The filter of system calls as the runtime specification describes it. */
export interface SeccompProfile {
  defaultAction: Runtime["refusal"];
  defaultErrnoRet: number;
  architectures: readonly string[];
  syscalls: readonly Rule[];
}

/**
 * Returns the same filter as `seccompFilter`, in the words of an OCI runtime. Null for an architecture
 * without a list. Refused calls answer that the kernel does not have them: libraries then use older ones,
 * such as clone instead of clone3 for a thread.
 */
export function seccompProfile(arch: string, { refusal }: Pick<Runtime, "refusal">): SeccompProfile | null {
  const architecture = ARCHITECTURES[arch as NodeJS.Architecture];
  if (architecture === undefined) return null;
  return {
    defaultAction: refusal,
    defaultErrnoRet: ENOSYS,
    architectures: [architecture],
    syscalls: [
      allow(allowedSyscalls),
      allow(["clone"], [masked(0, NEW_NAMESPACES, 0)]),
      ...allBut(TERMINAL_INPUT).map(([mask, value]) => allow(["ioctl"], [masked(1, mask, value)])),
      allow(["socket"], [masked(0, LOW_32_BITS, AF.unix)]),
      ...[AF.inet, AF.inet6].flatMap((family) =>
        SOCKET_TYPES.map((type) =>
          allow(["socket"], [masked(0, LOW_32_BITS, family), masked(1, SOCKET_TYPE, type)]),
        ),
      ),
      // Route netlink, which lists the interfaces of the box.
      allow(["socket"], [masked(0, LOW_32_BITS, AF.netlink), masked(2, LOW_32_BITS, 0)]),
    ],
  };
}

const allow = (names: readonly string[], args?: readonly Condition[]): Rule => ({
  names,
  action: "SCMP_ACT_ALLOW",
  ...(args && { args }),
});

/**
 * The kernel reads 32 bits of these arguments: a comparison of all 64 could be evaded by setting a higher
 * one.
 */
const masked = (index: number, mask: number, value: number): Condition => ({
  index,
  value: mask,
  valueTwo: value,
  op: "SCMP_CMP_MASKED_EQ",
});

/**
 * Returns masks and values of which a number matches at least one, unless it is one of two. The profile can
 * compare an argument only once per rule, and cannot say "unless": a number is allowed when a bit that both
 * have in common differs, or when the other bits are those of neither.
 */
function allBut([first, second]: readonly number[]): [mask: number, value: number][] {
  const different = first! ^ second!;
  const found: [number, number][] = [];
  for (let bit = 0; bit < 32; bit++) {
    const mask = (1 << bit) >>> 0;
    if ((different & mask) === 0) found.push([mask, (~first! & mask) >>> 0]);
  }
  for (let value = different; ; value = (value - 1) & different) {
    if (value !== (first! & different) && value !== (second! & different)) found.push([different, value]);
    if (value === 0) return found;
  }
}
