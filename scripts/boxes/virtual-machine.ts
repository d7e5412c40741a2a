import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../lib/root.ts";
import { installMissing } from "../test/system-packages.ts";

/**
 * A Linux kernel that is a program: it needs no rights and no support by the processor, and its root is this
 * machine's.
 */
const KERNEL = {
  program: "linux.uml",
  debian: "user-mode-linux",
  without: "control groups of version 2, where this machine has version 1",
};
const MODULES = "/usr/lib/uml/modules";
const MEMORY = "4G";
const EXIT = /^crowdai: exit code (\d+)$/;

/**
 * The first process of the virtual machine. It sees this machine's files, read-only; what the command writes
 * is in memory. Control groups are of version 2.
 */
const INIT = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
for folder in /tmp /run /dev/shm; do mkdir -p $folder; mount -t tmpfs none $folder; done
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t cgroup2 none /sys/fs/cgroup
# Overlays are a module, and insmod may be missing.
python3 -c '
import ctypes, os, platform, sys
libc = ctypes.CDLL(None, use_errno=True)
path = sys.argv[1] + "/" + platform.release() + "/kernel/fs/overlayfs/overlay.ko"
if libc.syscall(313, os.open(path, os.O_RDONLY), b"", 0) != 0: sys.exit("overlays: " + os.strerror(ctypes.get_errno()))
' ${MODULES}
mkdir /run/upper /run/work
mount -t overlay none -o lowerdir="$ROOT",upperdir=/run/upper,workdir=/run/work "$ROOT"
echo +memory +pids > /sys/fs/cgroup/cgroup.subtree_control
cd "$ROOT"
export HOME=/tmp TMPDIR=/tmp CI=true
sh "$COMMAND"
echo "crowdai: exit code $?"
echo o > /proc/sysrq-trigger
sleep 60
`;

/**
 * Runs a command in a virtual machine with control groups of version 2. Resolves with its exit code, or 0
 * where there is no such machine.
 */
export async function runInVirtualMachine(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  if (process.arch !== "x64" || installMissing([KERNEL]).length > 0 || !existsSync(MODULES)) {
    console.log(
      `MISSING: ${KERNEL.program} (Debian package ${KERNEL.debian}). Not tested: ${KERNEL.without}.`,
    );
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), "crowdai-machine-"));
  const init = join(folder, "init");
  const script = join(folder, "command");
  const settings = { ...env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` };
  const assignments = Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  writeFileSync(script, `${assignments.join("")}${command.map(quoted).join(" ")}\n`);
  // Its /tmp covers this machine's: the shell reads the command from a descriptor.
  const text = INIT.replace("#!/bin/sh\n", `#!/bin/sh\nROOT=${quoted(root)}\nexec 9<${quoted(script)}\n`);
  writeFileSync(init, text.replace('sh "$COMMAND"', "sh /proc/self/fd/9"), { mode: 0o755 });
  try {
    return await boot(init, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function boot(init: string, folder: string): Promise<number> {
  const machine = spawn(
    KERNEL.program,
    [
      ...[`mem=${MEMORY}`, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", `init=${init}`],
      ...["con=null", "con0=null,fd:1", "quiet", `uml_dir=${folder}`],
    ],
    {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
      env: { ...process.env, TMPDIR: existsSync("/dev/shm") ? "/dev/shm" : tmpdir() },
    },
  );
  // The kernel is several processes of one group.
  const end = () => {
    try {
      process.kill(-machine.pid!, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  process.once("exit", end);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  let exitCode = 1;
  createInterface({ input: machine.stdout }).on("line", (line) => {
    const code = line.trim().match(EXIT)?.[1];
    if (code === undefined) console.log(line);
    else exitCode = Number(code);
  });
  return new Promise((resolve, reject) => {
    machine.once("error", reject);
    machine.once("close", () => {
      end();
      resolve(exitCode);
    });
  });
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
