import { execFile, spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
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
  expect(await offered("submit", "--me")).toEqual(["--message", "--metrics"]);
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

describe("ids", () => {
  /**
   * A folder of programs with a crowdai that knows one challenge and two submissions, and reports an error
   * too.
   */
  async function programs(): Promise<string> {
    const path = join(folder.path, "programs");
    await mkdir(path, { recursive: true });
    const program = `#!/bin/sh
echo "an error" >&2
case "$*" in
  "__complete challenges") echo iris ;;
  "__complete submissions") echo 4pp3g47czjnesqza; echo 4qqqqqqqqqqqqqqq ;;
esac
exit 1
`;
    await writeFile(join(path, "crowdai"), program, { mode: 0o755 });
    return path;
  }
  const COMMANDS: [line: string, ids: string[]][] = [
    ["show 4", ["4pp3g47czjnesqza", "4qqqqqqqqqqqqqqq"]],
    ["show 4p", ["4pp3g47czjnesqza"]],
    ["leaderboard ", ["iris"]],
    ["submit --challenge ir", ["iris"]],
    ["submit -c ", ["iris"]],
    ["diff 4pp3g47czjnesqza 4q", ["4qqqqqqqqqqqqqqq"]],
  ];
  /** Returns what a shell prints, a line each. */
  async function lines(shell: string, args: string[]): Promise<string[]> {
    const env = { ...process.env, PATH: `${await programs()}:${process.env.PATH}` };
    const { stdout, stderr } = await run(shell, args, { env });
    expect(stderr).toBe("");
    return stdout.split("\n").flatMap((row) => row.split("\t")[0]!.trim() || []);
  }

  test("complete in bash", async () => {
    const path = await script("bash");
    const program = `source "$1"; shift; COMP_WORDS=(crowdai "$@"); COMP_CWORD=$#; _crowdai; printf '%s\\n' "\${COMPREPLY[@]}"`;
    for (const [line, ids] of COMMANDS)
      expect(await lines("bash", ["--norc", "-c", program, "bash", path, ...line.split(" ")]), line).toEqual(
        ids,
      );
  });

  test.runIf(present("fish"))("complete in fish", async () => {
    const path = await script("fish");
    for (const [line, ids] of COMMANDS)
      expect(
        await lines("fish", ["--no-config", "-c", `source ${path}; complete -C 'crowdai ${line}'`]),
        line,
      ).toEqual(ids);
  });

  test.runIf(present("zsh"))("complete in zsh, as someone types", async () => {
    const path = await script("zsh");
    for (const [line, id] of [
      ["show 4p", "4pp3g47czjnesqza"],
      ["submit --challenge i", "iris"],
    ] as const) {
      // A terminal of zsh's own: it completes only where keys are pressed. Enter then prints the words of the
      // line.
      const program = `
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1=; autoload -U compinit && compinit -D -u; source $1; crowdai() { print -r -- 'GOT:' "$@" ':END' }"
        zpty -w shell "print READY"
        zpty -r -m shell text '*READY*READY*'
        zpty -n -w shell "crowdai ${line}"$'\\t'$'\\n'
        zpty -r -m shell text '*GOT:*:END*' && print -r -- "$text"
        zpty -d shell`;
      const printed = (await lines("zsh", ["-f", "-c", program, "zsh", path])).join("\n");
      expect(printed, line).toContain(id);
    }
  });

  test("complete in PowerShell, by the same command", async () => {
    const { stdout } = await runCli(["completion", "powershell"], { cwd: folder.path });
    expect(stdout).toContain("& crowdai __complete $kind 2>$null");
    for (const entry of [
      "'show' = 'submissions'",
      "'leaderboard' = 'challenges'",
      "'submit --challenge' = 'challenges'",
    ])
      expect(stdout).toContain(entry);
  });
});

describe.runIf(present("fish"))("fish", () => {
  test("completes commands, options and values", async () => {
    const path = await script("fish");
    const offers = async (line: string) => {
      const { stdout } = await run("fish", ["--no-config", "-c", `source ${path}; complete -C '${line}'`]);
      return stdout.split("\n").flatMap((row) => row.split("\t")[0] || []);
    };
    expect((await offers("crowdai sub")).sort()).toEqual(["submissions", "submit"]);
    expect((await offers("crowdai submit --me")).sort()).toEqual(["--message", "--metrics"]);
    expect((await offers("crowdai completion ")).sort()).toEqual(["bash", "fish", "powershell", "zsh"]);
  });
});
