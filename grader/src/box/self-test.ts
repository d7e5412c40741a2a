import { randomUUID } from "node:crypto";
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunOptions, runProgram } from "./run-program.ts";
import type { Box, BoxEnd, BoxPlan, SelfTest } from "./sandbox.ts";

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

/** Prints one line for each thing that must not be possible, and is. */
const INSIDE = `
say() { echo "$1"; }
[ -e "$1" ] && say "a file of the grader's machine is visible"
grep -q "$2" /proc/*/environ 2>/dev/null && say "an environment variable of the grader is visible"
set -- /proc/self/fd/*
for fd; do case \${fd##*/} in 0|1|2|3|10|\\*) ;; *) [ -e "$fd" ] && say "descriptor \${fd##*/} of the grader is open" ;; esac; done
[ "$(sed -n 's/^Seccomp:\\s*//p' /proc/self/status)" = 2 ] || say "system calls are not filtered"
# Not every kernel has the line.
grep -q '^NoNewPrivs:[[:space:]]*1' /proc/self/status || setpriv --dump 2>/dev/null | grep -q '^no_new_privs: 1' || say "programs can gain rights"
[ "$(sed -n 's/^CapEff:\\s*//p' /proc/self/status)" = 0000000000000000 ] || say "the program has capabilities"
[ "$(sed 1,2d /proc/net/dev | grep -vc '^ *lo:')" = 0 ] || say "there is a network"
unshare --user true 2>/dev/null && say "a namespace can be made"
mount -t tmpfs none /tmp 2>/dev/null && say "a file system can be mounted"
for folder in / /usr /etc /dev /proc/sys/kernel; do
  ( : > $folder/box-test ) 2>/dev/null && say "$folder can be written"
done
[ -r /etc/passwd ] || say "programs cannot read what the grader writes: start it with a umask of 022"
for name in ${NAMESPACES.join(" ")}; do echo "$name $(readlink /proc/self/ns/$name)"; done
echo complete
`;

const OVERTIME = "setsid sh -c 'sleep 60; echo survived' & sleep 60; echo unlimited";

/** Starts programs that try to leave a box or to exceed its limits, all at the same time. */
export async function selfTest(
  start: (plan: BoxPlan) => Box,
  /** For its files. Emptied by the next grader, if this one is killed. */
  parent: string = tmpdir(),
): Promise<SelfTest> {
  const enforced: string[] = [];
  const failures: string[] = [];
  const folder = mkdtempSync(join(parent, "test-"));
  const canary = join(folder, "canary");
  writeFileSync(canary, "");
  const word = `CROWDAI_BOX_TEST_${randomUUID()}`;
  process.env[word] = "1";

  const run = (command: readonly [string, ...string[]], options?: RunOptions) =>
    runProgram(start, command, options);
  const check = async (what: string, work: () => Promise<string[] | boolean>) => {
    const found = await work().catch((error: Error) => [error.message]);
    if (found === false) failures.push(what);
    else if (found === true || found.length === 0) enforced.push(what);
    else failures.push(...found.map((line) => `${what}: ${line}`));
  };
  try {
    await Promise.all([
      check("a program is closed off", async () => {
        const end = await run(["/bin/sh", "-c", INSIDE, "test", canary, word]);
        const lines = end.stdout.split("\n").filter(Boolean);
        if (lines.pop() !== "complete") return [describe(end, end.stderr)];
        return lines.flatMap((line) => {
          const [name, link] = line.split(" ") as [string, string];
          if (!NAMESPACES.includes(name)) return [line];
          return readlinkSync(`/proc/self/ns/${name}`) === link ? [`it shares the ${name} namespace`] : [];
        });
      }),
      check("memory is limited", async () => {
        const end = await run(["/bin/sh", "-c", "tail /dev/zero"], {
          limits: { memoryBytes: 32 * 2 ** 20 },
        });
        return end.cause === "memory" || [describe(end, end.stderr)];
      }),
      check("the number of processes is limited", async () => {
        const end = await run(
          [
            "/bin/sh",
            "-c",
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 600 & done; echo all",
          ],
          { limits: { processes: 8 } },
        );
        if (end.cause !== "exit") return [describe(end, end.stderr)];
        return end.stdout !== "all\n";
      }),
      check("the size of files is limited", async () => {
        const end = await run(["/bin/sh", "-c", "head -c 2000000 /dev/zero > /out/file; wc -c < /out/file"], {
          limits: { scratchBytes: 2 ** 20 },
        });
        if (end.stdout === "") return [describe(end, end.stderr)];
        return Number(end.stdout) <= 2 ** 20;
      }),
      check("time is limited, and nothing outlives a box", async () => {
        // Their output shows that they were not ended, however slow the machine is.
        const end = await run(["/bin/sh", "-c", OVERTIME], { limits: { wallMs: 300 } });
        return (end.cause === "wall" && end.stdout === "") || [describe(end, end.stdout + end.stderr)];
      }),
      check("boxes cannot signal each other by locks", async () => {
        const holder = Promise.withResolvers<Box>();
        const held = Promise.withResolvers<void>();
        const first = run(["/bin/sh", "-c", "exec flock /usr/bin/env sh -c 'echo held; sleep 600'"], {
          onStart(box) {
            holder.resolve(box);
            box.stdout.once("data", () => held.resolve());
          },
        });
        const early = await Promise.race([held.promise, first]);
        if (early) return [describe(early, early.stderr)];
        const second = await run(["/bin/sh", "-c", "flock -n /usr/bin/env true"]);
        (await holder.promise).kill();
        await first;
        return second.code === 0;
      }),
    ]);
  } finally {
    delete process.env[word];
    rmSync(folder, { recursive: true, force: true });
  }
  return { enforced, failures };
}

function describe(end: BoxEnd, stderr: string): string {
  return `it did not finish (${end.cause}, exit code ${end.code}): ${end.detail || stderr}`.slice(0, 500);
}
