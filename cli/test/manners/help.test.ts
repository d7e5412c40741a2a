import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalog } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/program.ts";
import { useCommandLine } from "../command-line.ts";

const cli = useCommandLine();
const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const COMMANDS = createProgram({ version: "0", writeOut: () => {}, run: async () => {} }).commands;

describe("40: help", () => {
  it("names the documentation and the issue tracker", async () => {
    const { stdout } = await cli.run(["--help"]);
    expect(stdout).toMatch(/^Examples:/);
    expect(stdout).toMatch(/Documentation: https:\/\/\S+\/docs\/README.md/);
    expect(stdout).toMatch(/Issues: +https:\/\/\S+\/issues/);
  });

  it("of each command leads to its place in the documentation", async () => {
    const docs = read("docs/commands.md");
    for (const command of COMMANDS) {
      const { stdout } = await cli.run([command.name(), "--help"]);
      expect(stdout).toContain(`/docs/commands.md#crowdai-${command.name()}`);
      expect(docs).toContain(`\n## crowdai ${command.name()}\n`);
    }
  });
});

describe("44: an error", () => {
  it("has its code, what to do, and a link to its place in the documentation, in text and JSON", async () => {
    const { stderr } = await cli.run(["show", "unknown"]);
    expect(stderr).toMatch(/^error\[(\w+)\]: .+\n.+\nDocumentation: https:\S+\/docs\/errors\.md#\1\n/m);
    const json = JSON.parse((await cli.run(["show", "unknown", "--json"])).stdout);
    expect(json.error.docs).toContain(`errors.md#${json.error.code}`);
    const docs = read("docs/errors.md");
    for (const code of Object.keys(catalog)) expect(docs).toContain(`<a id="${code}"></a>`);
  });
});

describe("47: the reference of commands", () => {
  it("names every command, option and variable; `npm run check` compares it with the program", () => {
    const docs = read("docs/commands.md");
    for (const command of COMMANDS)
      for (const option of command.options) if (!option.hidden) expect(docs).toContain(option.long);
    expect(read("scripts/check.ts")).toContain("scripts/generate/command-docs.ts");
    expect(read("scripts/generate.ts")).toContain('"command-docs"');
  });
});

describe("the list of manners", () => {
  it("has all 65, each with a test that exists or a reason", () => {
    const rows = [...read("cli/test/manners/README.md").matchAll(/^\| (\d+) [^|]+\| (.+) \|$/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 65 }, (_, i) => i + 1));
    for (const [, number, tests] of rows)
      for (const [, path] of tests!.matchAll(/`([\w./-]+\.test\.ts)`/g))
        expect(
          existsSync(join(ROOT, path!.includes("/") ? "" : "cli/test/manners", path!)),
          `${number}: ${path}`,
        ).toBe(true);
  });
});
