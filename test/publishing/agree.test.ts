import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MIT_DIGEST } from "../../broker/src/domain/agreements/mit-license.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { runCli, temporaryFolder } from "../../cli/test/run-cli.ts";
import { startInTerminal } from "../../cli/test/tmux-terminal.ts";
import { missing } from "../required-programs.ts";

const BUILT = fileURLToPath(new URL("../../cli/bin/crowdai.js", import.meta.url));
const TERMINAL = { stdin: true, stdout: true, stderr: true };

describe("crowdai agree", { timeout: 90_000 }, () => {
  let test: TestBroker;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    [test, folder] = await Promise.all([startBroker({ withGrader: false }), temporaryFolder()]);
  });
  afterEach(async () => {
    await test.close();
    await folder[Symbol.asyncDispose]();
  });
  const env = () => ({ CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key });
  const run = (args: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
    runCli(["agree", ...args], { cwd: folder.path, ...options, env: { ...env(), ...options.env } });
  const storedAgreements = () => test.records.db.selectFrom("agreements").selectAll().execute();

  describe.skipIf(missing("tmux"))("in a terminal", () => {
    const person = () =>
      startInTerminal([process.execPath, BUILT, "agree"], {
        cwd: folder.path,
        env: { ...env(), CROWDAI_CONFIG_DIR: folder.path, HOME: folder.path },
      });

    it("shows the license and stores the agreement of the person, once", async () => {
      await using ada = await person();
      expect(await ada.see("Do you agree")).toContain("Permission is hereby granted, free of charge");
      expect(await storedAgreements()).toEqual([]);
      await ada.press("Left", "Enter");
      expect(await ada.see("exit code")).toContain("exit code 0");
      expect(await storedAgreements()).toMatchObject([
        {
          participant_id: 1,
          text_sha256: MIT_DIGEST,
          ip: "127.0.0.1",
          user_agent: expect.stringMatching(/^crowdai\/\S+ (node|bun)\//),
          given_at: "terminal",
        },
      ]);

      await using again = await person();
      expect(await again.see("exit code 0")).toContain("You accepted this license on");
      const shown = await run(["--show", "--format", "json"]);
      expect(JSON.parse(shown.stdout).agreements).toMatchObject([
        {
          digest: MIT_DIGEST,
          ip: "127.0.0.1",
          where: "terminal",
          agreed_at: (await storedAgreements())[0]?.agreed_at,
        },
      ]);
      expect((await run(["--show"])).stdout).toMatch(/IP address: +127\.0\.0\.1\nUser agent: +crowdai/);
    });

    it.each([
      ["Enter alone, which declines", "Enter", "exit code 3"],
      ["Ctrl-C", "C-c", "exit code 130"],
    ])("stores nothing after %s", async (_, key, ending) => {
      await using ada = await person();
      await ada.see("Do you agree");
      await ada.press(key);
      expect(await ada.see("exit code")).toContain(ending);
      expect(await storedAgreements()).toEqual([]);
    });
  });

  it.each([
    ["without a terminal", [], {}],
    ["with only a screen", [], { tty: { ...TERMINAL, stdin: false } }],
    ["with its answer piped away", [], { tty: { ...TERMINAL, stdout: false } }],
    ["under CI", [], { tty: TERMINAL, env: { CI: "true" } }],
    ["for JSON", ["--format", "json"], { tty: TERMINAL }],
    ["with --yes", ["--yes"], { tty: TERMINAL }],
    ["with -y", ["-y"], { tty: TERMINAL }],
    ["with --agree=true", ["--agree=true"], { tty: TERMINAL }],
    ["with a word", ["mit"], { tty: TERMINAL }],
    ["with yes on standard input", [], { stdin: "y\ny\nyes\n" }],
  ])("is refused %s, with the page and the command, and stores nothing", async (_, args, options) => {
    const { code, stderr } = await run(args, { stdin: "y\r", ...options });
    expect(code).toBe(3);
    expect(stderr).toContain("error[agreement_missing]");
    expect(stderr).toContain(`${test.broker.url}/agreement/mit`);
    expect(stderr).toContain("`crowdai agree`");
    expect(await storedAgreements()).toEqual([]);
  });

  it("tells a program what a person must do", async () => {
    const { stdout } = await run(["--format", "json", "--broker", test.broker.url]);
    expect(JSON.parse(stdout)).toMatchObject({
      exit_code: 3,
      error: {
        code: "agreement_missing",
        next: expect.stringContaining("must be accepted by a person"),
        details: {
          action_required: "agree",
          url: `${test.broker.url}/agreement/mit`,
          command: `crowdai agree --broker ${test.broker.url}`,
        },
      },
    });
  });

  it("shows nothing if no license was accepted", async () => {
    const { code, stdout, stderr } = await run(["--show"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("next: crowdai agree");
  });
});
