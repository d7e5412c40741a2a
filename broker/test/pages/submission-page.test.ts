import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId, type Submission } from "@crowdai/shared";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "../code/plain-git.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { overflow, startBrowser, type TestBrowser, violations, WIDTHS } from "./browser.ts";

describe.skipIf(missing("chromium-headless-shell", "python3", "git"))(
  "the page of a submission, in a browser",
  () => {
    let test: TestBroker;
    let browser: TestBrowser;
    let git: PlainGit;
    let first: string;
    let second: string;

    beforeAll(async () => {
      [test, browser, git] = await Promise.all([startBroker(), startBrowser(), createPlainGit()]);
      first = await handIn(
        { "model.py": "k = 1\nprint(k)\n", "notes.md": "one\n", "data.sql": "-- old\n" },
        0.5,
      );
      second = await handIn(
        { "model.py": "k = 5\nprint(k)\n", "notes.md": "one\n", "data.sql": "-- new\n" },
        0.75,
      );
    });
    afterEach(() => browser.closePages());
    afterAll(async () => {
      await browser?.close();
      await Promise.all([test?.close(), git?.close()]);
    });

    const view = async (id: string, key = test.key) =>
      (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;

    async function handIn(files: Record<string, string>, score: number, key = test.key): Promise<string> {
      const snapshot = await git.snapshot(files);
      const { submission, code } = await submitWithCode(test, snapshot, { key, data: { score } });
      await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key });
      await until(async () => (await view(submission.id, key)).code?.tag);
      return submission.id;
    }
    const go = (page: Page, path: string) => page.goto(test.broker.url + path);
    async function signedIn(options: Parameters<TestBrowser["open"]>[0] = {}): Promise<Page> {
      const page = await browser.open(options);
      await browser.signIn(page, test.broker.url, test.key);
      return page;
    }

    it("follows the grading: waiting, progress, the score", async () => {
      const page = await signedIn();
      const client = await test.connect();
      const hold = join(test.folder, "hold");
      const { submission } = await client.submit({
        id: createSubmissionId(),
        input: { kind: "inline", data: { score: 0.25, progress: [40], hold, message: "not bad" } },
      });
      await go(page, `/submissions/${submission.id}`);
      await page.locator("progress[value='40']").waitFor();
      expect(await page.locator(".progress label").innerText()).toContain("40 %");
      await writeFile(hold, "");
      await untilEnd(client, submission.id);
      await page.locator(".figures.large dd").first().waitFor();
      expect(await page.locator(".figures.large dd").first().innerText()).toBe("0.250");
      expect(await page.locator(".words", { hasText: "not bad" }).count()).toBe(1);
      expect(await page.locator("#announcer").textContent()).toBe("Graded: Score 0.250.");
    });

    it("shows why a submission failed", async () => {
      const page = await signedIn();
      const client = await test.connect();
      const { submission } = await client.submit({
        input: { kind: "inline", data: { reject: "row 17 is odd" } },
      });
      await untilEnd(client, submission.id);
      await go(page, `/submissions/${submission.id}`);
      expect(await page.locator(".problem").innerText()).toContain("row 17 is odd");
    });

    it("shows its code: the commit, how to clone it, and the changes since the previous submission", async () => {
      const page = await signedIn({ javaScriptEnabled: false });
      await go(page, `/submissions/${second}`);
      expect(await page.locator("#code ~ .commands").innerText()).toContain(`npx crowdai clone ${second}`);
      expect(await page.locator("h3", { hasText: "Changes since" }).locator("a").getAttribute("href")).toBe(
        `/submissions/${first}`,
      );
      expect(await page.locator(".diff-file summary").allInnerTexts()).toEqual([
        expect.stringContaining("data.sql"),
        expect.stringContaining("model.py"),
      ]);
      const lines = async (kind: string) =>
        (await page.locator(`.diff .${kind}`).allInnerTexts()).map((line) => line.trim());
      expect(await lines("removed")).toEqual(["--- old", "-k = 1"]);
      expect(await lines("added")).toEqual(["+-- new", "+k = 5"]);
      await page.click("text=Fork");
      expect(await page.locator(".commands").innerText()).toContain(`npx crowdai fork ${second}`);
    });

    for (const javaScriptEnabled of [false, true])
      it(`asks for the agreement once, then publishes and withdraws, ${javaScriptEnabled ? "with" : "without"} a script`, async () => {
        const name = javaScriptEnabled ? "grace" : "barbara";
        const key = await test.addParticipant(name);
        const id = await handIn({ "model.py": `# ${name}\n` }, 0.6, key);
        const page = await browser.open({ javaScriptEnabled });
        await browser.signIn(page, test.broker.url, key);
        await go(page, `/submissions/${id}`);
        await page.click("a:text-is('Publish')");
        expect(await page.locator("button:text-is('Publish')").count()).toBe(0);
        await page.click("a:text-is('Read and agree')");
        expect(await page.locator(".license").innerText()).toContain("Permission is hereby granted");
        expect(await page.locator("form.panel strong").innerText()).toBe(name);
        // The form requires the checkbox; so does the broker, with a message.
        await page.evaluate("document.querySelector('[name=agree]').required = false");
        await page.click("button:text-is('Agree')");
        expect(await page.locator("[role=alert]").innerText()).toBe("Select the checkbox to agree.");
        await page.check("[name=agree]");
        await page.click("button:text-is('Agree')");
        expect(await page.locator("[role=status]").innerText()).toContain("You agreed to this text");
        const kept = await test.records.db
          .selectFrom("agreements")
          .selectAll()
          .orderBy("id", "desc")
          .executeTakeFirstOrThrow();
        expect(kept).toMatchObject({ given_at: "page", ip: "127.0.0.1" });
        expect(kept.user_agent).toContain("Chrome");

        await page.click("text=Continue");
        await page.click("a:text-is('Cancel')");
        expect((await view(id, key)).publish).toBe(false);
        await page.click("a:text-is('Publish')");
        await page.click("button:text-is('Publish')");
        await page.waitForURL(`**/submissions/${id}#code`);
        expect((await view(id, key)).publish).toBe(true);
        await page.click("a:text-is('Withdraw')");
        await page.click("button:text-is('Withdraw')");
        await page.waitForURL(`**/submissions/${id}#code`);
        expect((await view(id, key)).publish).toBe(false);
      });

    it("lets only the author publish the code", async () => {
      const page = await browser.open();
      await browser.signIn(page, test.broker.url, await test.addParticipant("mallory"));
      for (const path of ["", "/publish", "/unpublish", "/fork"]) {
        const answer = await go(page, `/submissions/${second}${path}`);
        expect(answer?.status()).toBe(404);
      }
    });

    it("draws the scores over time, with a table that works without a script", async () => {
      const page = await signedIn();
      await go(page, "/submissions?challenge=test");
      expect(await page.locator(".plot").getAttribute("aria-labelledby")).toBe("chart-words");
      expect(await page.locator("#chart-words").innerText()).toContain("best 0.750");
      await page.click("text=Show as a table");
      expect(await page.locator("#chart-points tbody tr").count()).toBeGreaterThanOrEqual(2);
      const plain = await signedIn({ javaScriptEnabled: false });
      await go(plain, "/submissions?challenge=test");
      const [line, dots] = ["path.plot-steps", "path.plot-dots"].map((path) => plain.locator(path));
      expect(await line?.getAttribute("d")).toMatch(/^M0 \d+H/);
      expect((await dots?.getAttribute("d"))?.match(/h0/g)?.length).toBeGreaterThanOrEqual(2);
      await plain.click("text=Show as a table");
      expect(await plain.locator("#chart-points td").first().isVisible()).toBe(true);
    });

    it("has no serious accessibility violations at any width", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await signedIn({ colorScheme });
        for (const path of [
          `/submissions/${second}`,
          `/submissions/${second}/publish`,
          "/submissions",
          "/agreement/mit",
        ]) {
          await go(page, path);
          expect([path, await violations(page, colorScheme)]).toEqual([path, []]);
          for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 800 });
            expect([path, width, await overflow(page)]).toEqual([path, width, []]);
          }
        }
      }
    });
  },
);
