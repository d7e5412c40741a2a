import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";

const run = promisify(execFile);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

async function script(shell: string): Promise<string> {
  const { code, stdout } = await runCli(["completion", shell], { cwd: folder.path });
  expect(code).toBe(0);
  const path = join(folder.path, `crowdai.${shell === "powershell" ? "ps1" : shell}`);
  await writeFile(path, stdout);
  return path;
}

/** Returns what bash offers for the last word. */
async function offered(...words: string[]): Promise<string[]> {
  const path = await script("bash");
  const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _crowdai; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run("bash", ["--norc", "-c", program, "bash", path, "crowdai", ...words]);
  return stdout.split("\n").filter(Boolean);
}

test.each(["bash", "zsh", "fish", "powershell"])(
  "the %s script names every command and its options",
  async (shell) => {
    const { stdout } = await runCli(["completion", shell], { cwd: folder.path });
    for (const word of ["submit", "leaderboard", "doctor", "min-score", "with-token", "exit-codes", "ndjson"])
      expect(stdout).toContain(word);
    expect(stdout).not.toContain("api-key");
  },
);

test("bash completes commands, options and the values of options", async () => {
  expect(await offered("sub")).toEqual(["submit", "submissions"]);
  expect(await offered("submit", "--m")).toEqual(["--message", "--model", "--min-score"]);
  expect(await offered("submit", "--format", "")).toEqual(["text", "json", "ndjson"]);
  expect(await offered("completion", "f")).toEqual(["fish"]);
  expect(await offered("help", "exi")).toEqual(["exit-codes"]);
  expect(await offered("--format", "json", "lead")).toEqual(["leaderboard"]);
  expect(await offered("submit", "--message", "--f")).toEqual([]);
});

const present = (shell: string) => spawnSync(shell, ["--version"], { stdio: "ignore" }).error === undefined;
const CHECKS = {
  bash: ["-n"],
  zsh: ["-n"],
  fish: ["--no-execute"],
} as const;
for (const [shell, args] of Object.entries(CHECKS)) {
  const isThere = present(shell);
  if (!isThere) console.log(`${shell} is not installed: its completion script is only read, not tried`);
  describe.runIf(isThere)(shell, () => {
    test("accepts the script without warnings", async () => {
      const { stderr } = await run(shell, [...args, await script(shell)]);
      expect(stderr).toBe("");
    });
  });
}

describe.runIf(present("fish"))("fish", () => {
  test("completes commands, options and values", async () => {
    const path = await script("fish");
    const offers = async (line: string) => {
      const { stdout } = await run("fish", ["--no-config", "-c", `source ${path}; complete -C '${line}'`]);
      return stdout.split("\n").flatMap((row) => row.split("\t")[0] || []);
    };
    expect((await offers("crowdai sub")).sort()).toEqual(["submissions", "submit"]);
    expect((await offers("crowdai submit --m")).sort()).toEqual(["--message", "--min-score", "--model"]);
    expect((await offers("crowdai completion ")).sort()).toEqual(["bash", "fish", "powershell", "zsh"]);
  });
});
