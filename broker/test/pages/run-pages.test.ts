import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { createPlainGit, type PlainGit } from "../code/plain-git.ts";
import { RUN, runChallenge, runRecord, submitRun } from "../support/run-challenge.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { overflow, startBrowser, type TestBrowser, violations, WIDTHS } from "./browser.ts";

const RUN_OF = {
  ...RUN,
  command: ["python3", "main.py", "--name", "it's"],
  limits: { wall_seconds: 1, cpu_seconds: 60 },
};

describe.skipIf(missing("chromium-headless-shell", "git"))("the pages of runs of code, in a browser", () => {
  let test: TestBroker;
  let browser: TestBrowser;
  let git: PlainGit;
  let id: string;
  beforeAll(async () => {
    [test, browser, git] = await Promise.all([
      startBroker({ withGrader: false, challenges: [runChallenge({ run: RUN_OF })] }),
      startBrowser(),
      createPlainGit(),
    ]);
    const receipt = await submitRun(test, await git.snapshot({ "main.py": "1" }));
    id = receipt.submission.id;
    const run = runRecord([
      { stage: "build", cached: true },
      { stage: "sample", exit_code: 0, stdout: "<b>loaded</b>\u001b[31m\n".repeat(200) },
      { stage: "run", ended: "memory", exit_code: null, stderr: `Traceback ${"x".repeat(300)}` },
    ]);
    const { db } = test.records;
    await db
      .updateTable("attempts")
      .set({ run: JSON.stringify(run), state: "done" })
      .execute();
    const error = { error_code: "code_memory" as const, error_message: "The code used more than 2048 MB." };
    await db
      .updateTable("submissions")
      .set({ state: "failed", finished_at: new Date().toISOString(), deadline_at: null, ...error })
      .execute();
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await browser?.close();
    await Promise.all([test?.close(), git?.close()]);
  });

  const go = (page: Page, path: string) => page.goto(test.broker.url + path);
  async function signedIn(options: Parameters<TestBrowser["open"]>[0] = {}): Promise<Page> {
    const page = await browser.open(options);
    await browser.signIn(page, test.broker.url, test.key);
    return page;
  }

  it("tell how code is run, its limits, and what to type", async () => {
    const page = await browser.open({ javaScriptEnabled: false });
    await go(page, "/challenges/test");
    const section = await page.locator("section", { has: page.locator("#run") }).innerText();
    for (const words of [
      "in a box without a network",
      "python3 main.py --name 'it'\\''s'",
      "private input, evaluator",
      "/out/predictions.csv",
      "1 second for each run",
      "2,048 MB",
    ])
      expect(section).toContain(words);
    const submit = await page.locator("section", { has: page.locator("#submit") }).innerText();
    expect(submit).toContain(`npx crowdai submit --code -c test --broker ${test.broker.url}`);
    expect(submit).toContain("Code up to 52.4 MB, which graders run");
    expect(submit).not.toContain("predictions");
  });

  it("show the stages with their verdicts and logs", async () => {
    const page = await signedIn({ javaScriptEnabled: false });
    await go(page, `/submissions/${id}`);
    const rows = page.locator("section", { has: page.locator("#run") }).locator("tbody tr");
    expect((await rows.allInnerTexts()).map((row) => row.split("\t").slice(0, 3))).toEqual([
      ["Build", "from an earlier build", "1.5 s"],
      ["Sample", "passed", "1.5 s"],
      ["Private input", "memory limit", "1.5 s"],
    ]);
    const log = page.locator("details", { hasText: "Private input: stderr" });
    expect(await log.getAttribute("open")).not.toBeNull();
    const sample = await page.locator("details", { hasText: "Sample: stdout" }).locator("pre").textContent();
    expect(sample).toContain("<b>loaded</b>\ufffd[31m");
    expect(await page.locator(".facts", { hasText: "SHA-256" }).count()).toBe(0);
  });

  it("fit every width, without problems of accessibility", async () => {
    const page = await signedIn();
    for (const path of ["/challenges/test", `/submissions/${id}`]) {
      await go(page, path);
      // A string, because this runs in the page.
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      expect(await violations(page), path).toEqual([]);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page), `${path} at ${width}`).toEqual([]);
      }
    }
  });
});
