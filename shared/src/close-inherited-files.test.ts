import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

/**
 * Starts a program with a file of this one at descriptor 250, and returns what the program's own child finds
 * there.
 */
async function foundBy(program: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const script = `
import os, sys
file = os.open("/etc/hostname", os.O_RDONLY)
os.dup2(file, 250, inheritable=True)
os.execv(sys.argv[1], sys.argv[1:])`;
  const args = ["-c", script, process.execPath, "--input-type=module", "-e", program];
  return (await run("python3", args, { env })).stdout.trim();
}

const module = fileURLToPath(new URL("./close-inherited-files.ts", import.meta.url));
const child = `
  import { execFileSync } from "node:child_process";
  console.log(execFileSync("sh", ["-c", "readlink /proc/self/fd/250 || echo none"], { encoding: "utf8" }));`;
const closing = `import { closeInheritedFiles } from ${JSON.stringify(module)}; closeInheritedFiles();`;

it.runIf(process.platform === "linux" && !process.versions.bun)(
  "certificates stay open, because Node.js may be reading them in another thread",
  async () => {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: "/etc/hostname" };
    expect(await foundBy(closing + child, env)).toBe("/etc/hostname");
  },
);

it.runIf(process.platform === "linux")("files of the parent are not passed on to children", async () => {
  if (!process.versions.bun) expect(await foundBy(child)).toBe("/etc/hostname");
  expect(await foundBy(closing + child)).toBe("none");
});
