import { describe, expect, it } from "vitest";
import { ENVIRONMENT } from "../../src/commands/help.ts";
import { optionVariables } from "../../src/options/option-variables.ts";
import { createProgram } from "../../src/program.ts";
import { useCommandLine } from "../command-line.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });
const program = createProgram({ version: "0", writeOut: () => {}, run: async () => {} });

describe("35: every option has a variable with a regular name", () => {
  it("CROWDAI_<OPTION> for options of every command, CROWDAI_<COMMAND>_<OPTION> for others, each listed in the help", async () => {
    const listed = (await cli.run(["help", "environment"])).stdout;
    const meanings = new Map<string, string>();
    for (const command of program.commands)
      for (const { option, variable } of optionVariables(command)) {
        expect(variable).toMatch(/^CROWDAI_[A-Z_]+$/);
        if (option.long !== "--json" || option.required)
          expect(listed).toMatch(new RegExp(`^${variable}\\b`, "m"));
        // No name means two things.
        expect(meanings.get(variable) ?? option.long).toBe(option.long);
        meanings.set(variable, option.long!);
      }
    for (const [name] of ENVIRONMENT)
      if (!["CROWDAI_BROKER", "CROWDAI_CHALLENGE"].includes(name)) expect(meanings.has(name)).toBe(false);
  });

  it("a value, a switch and its opposite work, and the command line takes precedence", async () => {
    const env = {
      CROWDAI_SUBMIT_MESSAGE: "from the environment",
      CROWDAI_SUBMIT_WAIT: "0",
      CROWDAI_QUIET: "1",
    };
    const { code, stdout } = await cli.run(["submit", "--json", "[1]"], { env });
    const [submission] = cli.submissions();
    expect([code, stdout]).toEqual([0, `${submission!.id}\n`]);
    expect(submission!.message).toBe("from the environment");
    await cli.run(["submit", "--json", "[2]", "-m", "mine"], { env });
    expect(cli.submissions().at(-1)!.message).toBe("mine");
    const shown = await cli.run(["submissions"], { env: { CROWDAI_FORMAT: "json" } });
    expect(JSON.parse(shown.stdout).submissions).toHaveLength(2);
    const before = await cli.run(["--format", "text", "submissions"], { env: { CROWDAI_FORMAT: "json" } });
    expect(before.stdout).toMatch(/\t/);
  });

  it.each([
    ["CROWDAI_FORMAT", "xml", "Allowed choices are text, json, ndjson."],
    ["CROWDAI_SUBMISSIONS_LIMIT", "many", "Expected a whole number"],
    ["CROWDAI_QUIET", "perhaps", "Expected 1 or 0."],
  ])("%s=%s is a usage error that names the variable", async (name, value, why) => {
    const { code, stderr } = await cli.run(["submissions"], { env: { [name]: value } });
    expect(code).toBe(2);
    expect(stderr).toContain(`The environment variable ${name} is "${value}". ${why}`);
  });
});
