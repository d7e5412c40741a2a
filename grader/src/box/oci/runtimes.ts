/** Runtimes that boxes can be made with. Both have the command line of runc. */
export const RUNTIMES = ["runc", "runsc"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** How a runtime differs from the others. */
export interface Runtime {
  name: RuntimeName;
  debian: string;
  /** Before `run`. */
  options: readonly string[];
  /** After `run`. */
  runOptions: readonly string[];
  /**
   * Whether the program runs on the kernel of this machine. Otherwise the runtime has a kernel of its own.
   */
  hostKernel: boolean;
  /** The action of its filter that answers a system call with ENOSYS. */
  refusal: "SCMP_ACT_ERRNO" | "SCMP_ACT_TRACE";
  /** Resources that the runtime itself needs in the control group of a box, besides the program. */
  own: { memoryBytes: number; processes: number };
}

const MEBIBYTE = 2 ** 20;

export const runtimes: Record<RuntimeName, Runtime> = {
  runc: {
    name: "runc",
    debian: "runc",
    // It makes no groups of its own where it may not: the box is in a group already.
    options: ["--rootless", "true"],
    // The descriptors of the attendant.
    runOptions: ["--preserve-fds", "2"],
    hostKernel: true,
    refusal: "SCMP_ACT_ERRNO",
    own: { memoryBytes: 4 * MEBIBYTE, processes: 32 },
  },
  runsc: {
    name: "runsc",
    debian: "runsc",
    options: [
      ...["--ignore-cgroups", "--network=none", "--oci-seccomp"],
      // The attendant's pipes: versions before 2023 pass on no descriptors.
      ...["--host-fifo=open", "--host-uds=none"],
    ],
    runOptions: [],
    hostKernel: false,
    // With "errno", many versions answer EPERM whatever the profile says. A call that a tracer should decide
    // on answers ENOSYS when there is none, and there is none: ptrace is not in the list of calls.
    refusal: "SCMP_ACT_TRACE",
    own: { memoryBytes: 64 * MEBIBYTE, processes: 512 },
  },
};
