import allowedSyscalls from "./allowed-syscalls.json" with { type: "json" };
import syscallNumbers from "./syscall-numbers.json" with { type: "json" };

/** Instructions of the classic Berkeley packet filter, as the kernel's seccomp reads them. */
const LOAD = 0x20;
const AND = 0x54;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ABOVE = 0x25;
const ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refuse = (errno: number) => 0x00050000 | errno;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/**
 * Offsets in the kernel's struct seccomp_data: the call, its architecture, and the low halves of its
 * arguments.
 */
const CALL = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

const AUDIT_ARCHITECTURE = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
type Architecture = keyof typeof AUDIT_ARCHITECTURE;
/** Of system calls, some of which an architecture lacks; those that have a rule exist on all. */
type Numbers = Partial<Record<string, number>> & Record<"clone" | "ioctl" | "socket", number>;

/**
 * New namespaces of every kind: mount, cgroup, uts, ipc, user, pid, net. The last, time, is only known to
 * clone3.
 */
const CLONE_NEW = 0x7e020000;
/** Write into the input of a terminal. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCKET_TYPE = 0xf;
const SOCK_RAW = 3;
const SOCK_PACKET = 10;

type Instruction = readonly [code: number, value: number, ifTrue?: number, ifFalse?: number];

/**
 * Assembles the filter of system calls for programs in a box: those of a fixed list are allowed, and all
 * others answer that the kernel does not have them. Null for an architecture without a list.
 */
export function seccompFilter(arch: string): Buffer | null {
  if (!(arch in AUDIT_ARCHITECTURE)) return null;
  const numbers: Numbers = syscallNumbers[arch as Architecture];
  const program: Instruction[] = [
    [LOAD, ARCHITECTURE],
    [EQUAL, AUDIT_ARCHITECTURE[arch as Architecture], 1, 0],
    [RETURN, KILL],
    [LOAD, CALL],
    ...ruleOf(numbers.clone, [
      [LOAD, argument(0)],
      [ANY_BIT, CLONE_NEW, 1, 0],
      [RETURN, ALLOW],
      [RETURN, refuse(EPERM)],
    ]),
    ...ruleOf(numbers.ioctl, [
      [LOAD, argument(1)],
      [EQUAL, TIOCSTI, 2, 0],
      [EQUAL, TIOCLINUX, 1, 0],
      [RETURN, ALLOW],
      [RETURN, refuse(EPERM)],
    ]),
    ...ruleOf(numbers.socket, [
      [LOAD, argument(0)],
      [EQUAL, AF_UNIX, 10, 0],
      [EQUAL, AF_INET, 5, 0],
      [EQUAL, AF_INET6, 4, 0],
      // Route netlink, which lists the interfaces of the box.
      [EQUAL, AF_NETLINK, 0, 2],
      [LOAD, argument(2)],
      [EQUAL, 0, 5, 0],
      [RETURN, refuse(EAFNOSUPPORT)],
      [LOAD, argument(1)],
      [AND, SOCKET_TYPE],
      [EQUAL, SOCK_RAW, 2, 0],
      [EQUAL, SOCK_PACKET, 1, 0],
      [RETURN, ALLOW],
      [RETURN, refuse(EPERM)],
    ]),
    ...ranges(allowedSyscalls.flatMap((name) => numbers[name] ?? [])).flatMap(
      ([first, last]): Instruction[] => [
        [AT_LEAST, first, 0, 2],
        [ABOVE, last, 1, 0],
        [RETURN, ALLOW],
      ],
    ),
    [RETURN, refuse(ENOSYS)],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, value, ifTrue = 0, ifFalse = 0], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  });
  return bytes;
}

/** Applies instructions that return to one call only. */
function ruleOf(call: number, rule: readonly Instruction[]): Instruction[] {
  return [[EQUAL, call, 0, rule.length], ...rule];
}

/** Joins consecutive numbers, so that a call passes few instructions. */
function ranges(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && number <= last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}
