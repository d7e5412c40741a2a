import type { Difference } from "../abuse.contract.ts";
import type { RuntimeName } from "./runtimes.ts";

const OWN_KERNEL = "the kernel of gVisor allows it: what it changes exists in the box alone";
const FIRST_PROCESS = "a program can kill or stop the first process of its box, and so end the box";
const SLOW = "system calls are many times slower, so that the time limit may end it";

/** Half a minute is enough to see that a program gets nowhere. */
const SLOW_LIMITS = { wallMs: 30_000 };

/** Hostile programs that end in another way in boxes of a runtime, by the name of their file. */
export const DIFFERENCES: Readonly<Record<RuntimeName, Readonly<Record<string, Difference>>>> = {
  runc: {
    "kernel_files_written.py": {
      why: "what it hides is covered by the box's own /dev/null",
      works: /^\/proc\/[\w.-]+ can be written$/,
    },
    "mount_table.py": {
      why: "it mounts these without nosuid, but programs can gain no rights; they are the root, which is empty, and devices of the box",
      works:
        /^a mount (with setuid programs: .* (\S+\/rootfs \/ ro,|\/devices\/\w+ \/(dev|proc)\/)|that can be written: .* \/devices\/null \/proc\/)/,
    },
    "user_map.py": {
      why: "the root of the container runs nothing; numbers of projects may be mapped by all, and the box has no file with one",
      works: /^(projid_map|another user is mapped)$/,
    },
    "x32_calls.py": {
      why: "the filter kills a program that uses calls of another architecture",
      verdict: "exit 159",
    },
  },
  runsc: {
    "attendant_patched.py": { why: "no process can write the memory of another", verdict: "exit 9" },
    "attendant_stopped.py": { why: FIRST_PROCESS, verdict: "wall", limits: { wallMs: 10_000 } },
    "attendant_terminated.py": { why: FIRST_PROCESS, verdict: "killed" },
    "connections_inside.py": {
      why: "the mark is for routes, and the network of the box has none",
      works: /^a route$/,
    },
    "devices.py": {
      why: OWN_KERNEL,
      works: /^(character device|block device|fuse|net\/tun|other devices: .*)$/,
    },
    "devices_of_hardware.py": { why: OWN_KERNEL, works: /^\/dev\/(net\/tun|fuse)$/ },
    "filter_of_children.py": {
      why: "its /proc does not show this line; the self-test asks the kernel instead",
      works: /^a child without NoNewPrivs/,
    },
    "first_process_killed.py": { why: FIRST_PROCESS, verdict: "killed" },
    "group_killed.py": { why: `${FIRST_PROCESS}: it is in the program's process group`, verdict: "killed" },
    "huge_pages.py": {
      why: "its huge pages are memory like other memory, under the same limit",
      works: /^huge pages$/,
    },
    "many_files.py": {
      why: `${SLOW}; the 64 MiB of the runtime have to be filled first`,
      verdict: ["memory", "wall"],
      limits: { ...SLOW_LIMITS, memoryBytes: 2 ** 21 },
    },
    "memory_of_folders.py": {
      why: `${SLOW}; the 64 MiB of the runtime have to be filled first`,
      verdict: ["memory", "wall"],
      limits: { ...SLOW_LIMITS, memoryBytes: 2 ** 21 },
    },
    "memory_of_threads.py": {
      why: "the 64 MiB of the runtime have to be filled first",
      limits: { memoryBytes: 2 ** 24 },
    },
    "message_queues.py": {
      why: "its queues are in the memory of the box, under its limit",
      works: /^a message queue$/,
    },
    "mount_table.py": {
      why: "it does not list nosuid, and knows no setuid programs; the folder of the attendant's pipes belongs to root",
      works: /^a mount (with setuid programs: |that can be written: \d+ \d+ [\d:]+ \/ \/(box|dev) )/,
    },
    "oom_scores.py": {
      why: "the scores are numbers that its kernel does not use",
      works: /^a lower score of /,
    },
    "overlay_tricks.py": { why: OWN_KERNEL, works: /^a whiteout in scratch$/ },
    "page_cache.py": { why: SLOW, verdict: ["exit 0", "wall"], limits: SLOW_LIMITS },
    "peer_of_output.py": {
      why: "the process that it names is the program itself",
      works: /^a signal to the grader$/,
    },
    "priorities.py": { why: "its scheduler has no priorities", works: /^priority$/ },
    "priorities_raised.py": {
      why: "its scheduler has no priorities, and its kernel does not use the scores",
      works: /^(nice|a lower score for the kernel's killer)$/,
    },
    "root_listed.py": {
      why: "/sys is closed and empty, and /box had the attendant's pipes",
      works: /^in \/: (box sys|sys box)$/,
    },
    "semaphores.py": { why: SLOW, verdict: ["exit 0", "wall"], limits: SLOW_LIMITS },
    "timers.py": {
      why: "its timers are in the memory of the box, which ends it",
      verdict: ["memory", "wall"],
      limits: SLOW_LIMITS,
    },
    "user_map.py": { why: "its users exist in the box alone", works: /^another user is mapped$/ },
    "watches.py": { why: SLOW, verdict: ["exit 0", "wall"], limits: SLOW_LIMITS },
  },
};
