import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../../cli/test/run-cli.ts";
import { missing } from "../../../test/required-programs.ts";
import { archiveOf, codabenchFiles } from "../../src/commands/import-challenge/testing.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { overflow, startBrowser, type TestBrowser, violations } from "./browser.ts";

describe.skipIf(missing("chromium-headless-shell", "python3"))("a challenge imported from Codabench", () => {
  let test: TestBroker;
  let browser: TestBrowser;
  let other: string;
  let submission: Submission;
  beforeAll(async () => {
    const phases = [{ index: 0, name: "Main", start: "2020-01-01", tasks: [7] }];
    const files = codabenchFiles({ phases, enable_detailed_results: true });
    [test, browser] = await Promise.all([
      startBroker({
        async prepare(folder) {
          for (const [name, text] of Object.entries(files)) {
            await mkdir(dirname(join(folder, "bundle", name)), { recursive: true });
            await writeFile(join(folder, "bundle", name), text);
          }
          const { code, stdout, stderr } = await runCommand(folder, [
            "challenge",
            "import",
            "bundle",
            "--id",
            "pi",
          ]);
          expect({ code, stderr }).toMatchObject({ code: 0 });
          expect(stdout).toBe(
            'pi: "Digits of π", 1 round, written to challenges/pi\nNot carried over:\n' +
              "  hidden columns seconds: organizers alone see them, with crowdai-broker; they are in private_results\n",
          );
        },
      }),
      startBrowser(),
    ]);
    other = await test.addParticipant("eve");
    await writeFile(join(test.folder, "mine.tar"), await archiveOf({ "pi.txt": "3.14" }));
    const env = { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key, CROWDAI_CHALLENGE: "pi" };
    const submitted = await runCli(["submit", "mine.tar", "--no-code", "--format", "json"], {
      cwd: test.folder,
      env,
    });
    expect(submitted.code, submitted.stderr + submitted.stdout).toBe(0);
    ({ submission } = JSON.parse(submitted.stdout));
  });
  // The browser reports the script of the page, which it did not run.
  afterEach(() =>
    browser.closePages().catch((error: Error) => {
      for (const line of error.message.split("\n").slice(1))
        expect(line).toMatch(/^Blocked script execution/);
    }),
  );
  afterAll(async () => {
    await browser?.close();
    await test?.close();
  });
  const details = () => `/submissions/${submission.id}/detailed-results`;

  it("grades an archive with the scores that the bundle names, and hides what it hides", async () => {
    expect(submission).toMatchObject({ state: "graded", score: 4, data: { digits: 4 } });
    expect(submission.score_secondary).toBeCloseTo(0.00159265);
    expect(submission.artifacts).toMatchObject([{ kind: "artifact", name: "detailed_results.html" }]);
    expect(JSON.stringify(submission)).not.toContain("seconds");
  });

  it("shows the participant the program's page, in a frame without scripts", async () => {
    const page = await browser.open();
    await browser.signIn(page, test.broker.url, test.key);
    await page.goto(`${test.broker.url}/submissions/${submission.id}`);
    const frame = page.frameLocator("iframe.foreign");
    await page.locator("iframe.foreign").scrollIntoViewIfNeeded();
    expect(await frame.locator("h1").innerText()).toBe("Digit by digit");
    expect(await page.locator("iframe.foreign").getAttribute("sandbox")).toBe("");
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
  });

  it("keeps the page apart from the broker's own when it is opened alone", async () => {
    const page = await browser.open();
    await browser.signIn(page, test.broker.url, test.key);
    const answer = await page.goto(test.broker.url + details());
    expect(answer!.headers()).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": expect.stringMatching(
        /^sandbox; default-src 'none';.*frame-ancestors 'self'$/,
      ),
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    });
    expect(await page.locator("h1").innerText()).toBe("Digit by digit");
    expect(await page.title()).toBe("");
    expect(await page.evaluate("self.origin")).toBe("null");
  });

  it("shows it to no one else, also once the submission is published", async () => {
    const seen = async (key: string | null) => {
      const paths = [details(), `/api/v1/submissions/${submission.id}/artifacts/1`];
      const answers = await Promise.all(paths.map((path) => test.fetch(path, { key })));
      const view = await test.fetch(`/api/v1/submissions/${submission.id}`, { key });
      const { artifacts = [] } = (await view.json()) as Partial<Submission>;
      return [...answers.map(({ status }) => status), artifacts.length];
    };
    expect(await seen(other)).toEqual([404, 404, 0]);
    await test.records.db
      .updateTable("submissions")
      .set({ published_at: new Date().toISOString() })
      .where("id", "=", submission.id)
      .execute();
    for (const key of [other, null]) expect(await seen(key)).toEqual([404, 404, 0]);
    const own = await test.fetch(`/api/v1/submissions/${submission.id}/artifacts/1`);
    expect(await own.text()).toContain("Digit by digit");
  });
});
