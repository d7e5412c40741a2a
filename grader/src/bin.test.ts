import { execFile } from "node:child_process";
import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./testing/challenge.ts";

const STUB = fileURLToPath(new URL("../bin/crowdai-grader.js", import.meta.url));

/** Puts the stub into a package of its own, whose program prints its runtime and arguments. */
async function installed() {
  const dir = await temporaryFolder();
  await mkdir(join(dir, "bin"));
  await mkdir(join(dir, "dist"));
  await cp(STUB, join(dir, "bin/crowdai-grader.js"));
  await writeFile(join(dir, "package.json"), `{"type":"module"}`);
  await writeFile(
    join(dir, "dist/bin.js"),
    `console.log("ran", process.argv.slice(2).join(" ")); process.exitCode = 7;`,
  );
  return dir;
}

/** A module for `--import` that reports another version of Node.js to the stub. */
async function pretend(dir: string, version: string): Promise<string[]> {
  const file = join(dir, "pretend.mjs");
  await writeFile(
    file,
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}", bun: undefined } });`,
  );
  return ["--import", file];
}

function run(command: string, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(command, args, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe("the command's entry point", () => {
  it("runs the program on the current runtime", async () => {
    const dir = await installed();
    expect(
      await run(process.execPath, [join(dir, "bin/crowdai-grader.js"), "start", "--help"]),
    ).toMatchObject({
      code: 7,
      stdout: "ran start --help\n",
    });
  });

  it("reports the required runtimes on an older Node.js", async () => {
    const dir = await installed();
    const { code, stdout, stderr } = await run("node", [
      ...(await pretend(dir, "20.20.2")),
      join(dir, "bin/crowdai-grader.js"),
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      "crowdai-grader requires Bun 1.3 or newer, or Node.js 22.13 or newer. This is Node.js 20.20.2.\n",
    );
  });

  it("re-runs on the newer Node.js of the npm packages, and exits as it does", async () => {
    const dir = await installed();
    const node = join(dir, "node_modules/node");
    await mkdir(join(node, "bin"), { recursive: true });
    await writeFile(join(node, "package.json"), `{"version":"26.0.0"}`);
    await writeFile(join(node, "bin/node"), `#!/bin/sh\necho "newer $(basename "$1") $2"\nexit 5\n`);
    await chmod(join(node, "bin/node"), 0o755);
    const started = [...(await pretend(dir, "20.20.2")), join(dir, "bin/crowdai-grader.js"), "start"];
    expect(await run("node", started)).toMatchObject({ code: 5, stdout: "newer crowdai-grader.js start\n" });
  });

  it("does not re-run on a Node.js that is too old as well", async () => {
    const dir = await installed();
    await mkdir(join(dir, "node_modules/node/bin"), { recursive: true });
    await writeFile(join(dir, "node_modules/node/package.json"), `{"version":"18.0.0"}`);
    await writeFile(join(dir, "node_modules/node/bin/node"), "");
    const { code } = await run("node", [
      ...(await pretend(dir, "20.20.2")),
      join(dir, "bin/crowdai-grader.js"),
    ]);
    expect(code).toBe(2);
  });
});
