import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { afterAll, describe, expect, it } from "vitest";
import { makeRunChallenge } from "../testing/run-challenge.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());
const submit = tests?.submit as SubmitCode;

const hasPip = existsSync("/usr/lib/python3/dist-packages/pip");
const hasNpm = existsSync("/usr/bin/npm");
const limits = { memory_mb: 512, processes: 64, scratch_mb: 64 };

/** Writes a package of one module into the challenge's packages. */
function writeWheel(folder: string, name: string, code: string): void {
  const script = `import sys, zipfile
folder, name, code = sys.argv[1:]
info = f"{name}-1.0.dist-info"
with zipfile.ZipFile(f"{folder}/{name}-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}.py", code)
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")`;
  execFileSync("python3", ["-c", script, folder, name, code]);
}

async function packagesChallenge(run: object = {}) {
  const challenge = await makeRunChallenge(
    { packages: "packages", ...run, limits },
    { "packages/README": "" },
  );
  return { challenge, packages: join(challenge.dir, "packages") };
}

const USES_DOUBLING = `import doubling
rows = open("/input/numbers.csv").read().split()
open("/out/predictions.csv", "w").write("".join(f"{doubling.double(int(n))}\\n" for n in rows))`;

describe.runIf(tests)("a build", () => {
  it.runIf(hasPip)(
    "installs what requirements.txt names, once for all submissions with the same",
    async () => {
      const { challenge, packages } = await packagesChallenge();
      writeWheel(packages, "doubling", "def double(n): return 2 * n");
      const files = { "requirements.txt": "doubling==1.0  # a package\n", "main.py": USES_DOUBLING };
      const first = await submit(challenge, files);
      expect(first.outcome, first.log).toMatchObject({
        ok: true,
        score: 0.75,
        run: {
          packages: expect.stringMatching(/^[0-9a-f]{64}$/),
          stages: [{ stage: "build", cached: false, ended: "exit", exit_code: 0 }, { stage: "run" }],
        },
      });
      expect(first.outcome.run!.stages[0]!.stdout).toContain("Successfully installed doubling-1.0");
      expect(first.reports.find(({ type }) => type === "progress")).toMatchObject({ stage: "build" });
      const again = await submit(challenge, { ...files, "pip.py": "raise SystemExit('not the real pip')" });
      expect(again.outcome, again.log).toMatchObject({
        score: 0.75,
        run: { stages: [{ stage: "build", cached: true }, { stage: "run" }] },
      });
    },
  );

  it.runIf(hasPip)(
    "that asks for a package that the challenge does not have fails with what it printed",
    async () => {
      const { challenge } = await packagesChallenge();
      const { outcome } = await submit(challenge, { "requirements.txt": "no-such-package", "main.py": "" });
      expect(outcome).toMatchObject({
        ok: false,
        code: "build_failed",
        message: expect.stringMatching(
          /^The build exited with code 1: ERROR: No matching distribution found for no-such-package/,
        ),
        run: {
          stages: [{ stage: "build", exit_code: 1, stderr: expect.stringContaining("no-such-package") }],
        },
      });
    },
  );

  it.runIf(hasNpm)("installs what package-lock.json names, where import finds it", async () => {
    const challenge = await makeRunChallenge(
      { packages: "packages", command: ["node", "main.mjs"], limits: { ...limits, memory_mb: 1024 } },
      { "packages/README": "" },
    );
    const text = `export const double = (n) => 2 * n;`;
    const manifest = JSON.stringify({
      name: "doubling",
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      bin: { double: "./double.js" },
    });
    const program = `#!/usr/bin/env node
console.log(2 * process.argv[2])`;
    const entry = (name: string, body: string) => ({
      header: { name, size: body.length, type: "file" as const, mode: 0o644 },
      body,
    });
    const tarball = gzipSync(
      await packTar([
        entry("package/package.json", manifest),
        entry("package/index.js", text),
        entry("package/double.js", program),
      ]),
    );
    mkdirSync(join(challenge.dir, "packages/deep"), { mode: 0o755 });
    writeFileSync(join(challenge.dir, "packages/deep/doubling-1.0.0.tgz"), tarball, { mode: 0o644 });
    const lock = {
      ...{ name: "x", version: "1.0.0", lockfileVersion: 3, requires: true },
      packages: {
        "": { name: "x", version: "1.0.0", dependencies: { doubling: "^1.0.0" } },
        "node_modules/doubling": {
          version: "1.0.0",
          resolved: "https://registry.example/doubling/-/doubling-1.0.0.tgz",
          bin: { double: "double.js" },
          integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
        },
      },
    };
    const files = {
      "package.json": JSON.stringify(lock.packages[""]),
      "package-lock.json": JSON.stringify(lock),
      "main.mjs": `import { readFileSync, writeFileSync } from "node:fs";
import { double } from "doubling";
writeFileSync("/out/predictions.csv", readFileSync("/input/numbers.csv", "utf8").split("\\n").filter(Boolean).map((n) => double(Number(n)) + "\\n").join(""));`,
    };
    const { outcome, log } = await submit(challenge, files);
    expect(outcome, log).toMatchObject({ ok: true, score: 0.75 });
    const manifestWithScript = {
      ...lock.packages[""],
      scripts: { start: "double 1 > /out/predictions.csv" },
    };
    const script = await submit(challenge, {
      ...files,
      "package.json": JSON.stringify(manifestWithScript),
      "main.mjs": `import { execFileSync, spawnSync } from "node:child_process";
execFileSync("node_modules/.bin/double", [1]);
const { status } = spawnSync("npm", ["start", "--no-update-notifier", "--cache=/tmp/npm"], { stdio: "inherit" });
process.exit(status ?? 1);`,
    });
    expect(script.outcome, script.log).toMatchObject({ ok: true, score: 0.25 });
    const entries = {
      ...lock.packages,
      "node_modules/other": { version: "2.0.0", integrity: "sha512-AAAA" },
    };
    const wrong = { ...files, "package-lock.json": JSON.stringify({ ...lock, packages: entries }) };
    expect((await submit(challenge, wrong)).outcome).toMatchObject({
      code: "build_failed",
      message: "The build exited with code 1: Not among the packages of the challenge: other@2.0.0",
    });
  });

  it("is a command that runs in a copy of the code; what it leaves lies over the code", async () => {
    const challenge = await makeRunChallenge({ build: ["./build.sh"], command: ["./main"], limits });
    const { outcome, log } = await submit(challenge, {
      "build.sh": `#!/bin/sh
set -e
echo "building in $PWD"
cp template.sh main
echo 2 > two`,
      "template.sh": `#!/bin/sh
while read n; do echo $((n * $(cat two))); done < /input/numbers.csv > /out/predictions.csv
touch x 2>/dev/null && echo writable
cat other.txt`,
      "other.txt": "other",
    });
    expect(outcome, log).toMatchObject({ ok: true, score: 0.75 });
    expect(log).toContain("building in /out");
    expect(log).toContain("stdout:\nother");
    expect(log).not.toContain("writable");
  });

  it.each<[string, string, string]>([
    ["hangs", "sleep 60", "The build took longer than 0.7 s."],
    [
      "downloads",
      "exec 3<>/dev/tcp/93.184.216.34/80",
      "The build exited with code 1: ./build.sh: line 2: /dev/tcp/93.184.216.34/80: Network is unreachable",
    ],
    [
      "writes outside",
      "set -e; echo x > /usr/bin/x",
      "The build exited with code 1: ./build.sh: line 2: /usr/bin/x: Read-only file system",
    ],
    [
      "changes the packages",
      "set -e; echo x > /packages/x",
      "The build exited with code 1: ./build.sh: line 2: /packages/x: Read-only file system",
    ],
    [
      "fills the disk",
      "head -c 100000000 /dev/zero > big",
      "The build filled /tmp or /out, which hold 8 MB each: head: error writing 'standard output': No space left on device",
    ],
    [
      "looks for the input",
      "set -e; cat /input/numbers.csv",
      "The build exited with code 1: cat: /input/numbers.csv: No such file or directory",
    ],
  ])("that %s fails", async (_, script, message) => {
    const challenge = await makeRunChallenge(
      { build: ["./build.sh"], packages: "packages", limits: { build_seconds: 0.7, scratch_mb: 8 } },
      { "packages/README": "" },
    );
    const { outcome, log } = await submit(challenge, {
      "build.sh": `#!/bin/bash\n${script}\n`,
      "main.py": "",
    });
    expect({ ...outcome, log }).toMatchObject({ ok: false, code: "build_failed", message });
    expect(JSON.stringify(outcome)).not.toContain(challenge.dir);
  });
});
