import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { missing } from "../../../test/required-programs.ts";
import { startBroker, type TestBroker, type TestClient, untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { overflow, startBrowser, type TestBrowser, violations, WIDTHS } from "./browser.ts";

const DESCRIPTION = `Guess **numbers**.

# The data

| column | meaning |
| --- | --- |
| id | which |

Read [the paper](https://example.org/paper). ![a plot](https://example.org/plot.png)
`;

describe.skipIf(missing("chromium-headless-shell", "python3"))(
  "the page of a challenge, in a browser",
  () => {
    let test: TestBroker;
    let browser: TestBrowser;
    let ada: TestClient;
    const people: TestClient[] = [];

    beforeAll(async () => {
      [test, browser] = await Promise.all([
        startBroker({
          challenges: [
            {
              title: "Guess the numbers",
              description: DESCRIPTION,
              score_secondary: { title: "Error", order: "ascending", precision: 1 },
              rounds: [
                { id: "1", title: "Warm-up", ends_at: "2024-01-01T00:00:00Z" },
                {
                  id: "2",
                  title: "Final",
                  starts_at: "2024-01-02T00:00:00Z",
                  limit: { count: 50, per: "day" },
                },
                { id: "3", title: "Later", starts_at: "2999-01-01T00:00:00Z" },
              ],
            },
          ],
        }),
        startBrowser(),
      ]);
      await mkdir(join(test.folder, "challenges/test/public"), { recursive: true });
      await writeFile(join(test.folder, "challenges/test/public/train.csv"), "id\n1\n");
      ada = await test.connect();
      await grade(ada, 0.5);
      for (const name of ["bob", "cid"]) {
        const client = await test.connect({ key: await test.addParticipant(name) });
        await grade(client, people.length === 0 ? 0.9 : 0.7);
        people.push(client);
      }
      // The broker polls the folder every other second.
      await until(async () => (await (await test.fetch("/challenges/test")).text()).includes("train.csv"));
    });
    afterEach(() => browser.closePages());
    afterAll(async () => {
      await browser?.close();
      await test?.close();
    });

    async function grade(client: TestClient, score: number): Promise<string> {
      const { submission } = await client.submit({
        input: { kind: "inline", data: { score, secondary: 1 } },
      });
      await untilEnd(client, submission.id);
      return submission.id;
    }
    const go = (page: Page, path = "/challenges/test") => page.goto(test.broker.url + path);
    const names = (page: Page) => page.locator(".board tbody th bdi").allInnerTexts();

    for (const javaScriptEnabled of [true, false])
      it(`is complete at every width ${javaScriptEnabled ? "with" : "without"} a script`, async () => {
        const page = await browser.open({ javaScriptEnabled });
        for (const path of ["/", "/sign-in", "/nothing", "/challenges/test"]) {
          await go(page, path);
          expect(await page.locator("h1").count()).toBe(1);
          for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 800 });
            expect([path, width, await overflow(page)]).toEqual([path, width, []]);
          }
        }
        expect(await names(page)).toEqual(["bob", "cid", "ada"]);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          expect(await page.locator("text=train.csv").first().isVisible()).toBe(true);
          expect(await page.locator(".ways code").first().textContent()).toContain(
            `npx crowdai submit predictions.csv -c test --broker ${test.broker.url}`,
          );
        }
      });

    for (const colorScheme of ["light", "dark"] as const)
      it(`has no serious accessibility violations in the ${colorScheme} theme`, async () => {
        const page = await browser.open({ colorScheme });
        await browser.signIn(page, test.broker.url, test.key);
        for (const path of ["/", "/challenges/test", "/submissions", "/agreement/mit", "/nothing"]) {
          await go(page, path);
          expect([path, await violations(page, colorScheme)]).toEqual([path, []]);
        }
        await page.setViewportSize({ width: 360, height: 700 });
        await go(page);
        expect(await violations(page, colorScheme)).toEqual([]);
        await page.click("text=Sign out");
        await go(page, "/sign-in");
        expect(await violations(page, colorScheme)).toEqual([]);
      });

    it("shows the description's Markdown below its own headings, links without a referrer, and no external images", async () => {
      const page = await browser.open();
      await go(page);
      expect(await page.locator(".prose h3").textContent()).toBe("The data");
      expect(await page.locator(".prose a", { hasText: "the paper" }).getAttribute("rel")).toBe(
        "noopener nofollow",
      );
      expect(await page.locator(".prose img").count()).toBe(0);
      expect(await page.locator(".prose a", { hasText: "a plot" }).getAttribute("href")).toBe(
        "https://example.org/plot.png",
      );
    });

    it("shows times in the reader's zone with UTC beside, without moving the page", async () => {
      const page = await browser.open({ timezoneId: "America/New_York" });
      await page.addInitScript(`window.shifts = 0;
        new PerformanceObserver((list) => {
          for (const { value } of list.getEntries()) window.shifts += value;
        }).observe({ type: "layout-shift", buffered: true });`);
      await go(page);
      expect(await page.locator(".rounds time").first().innerText()).toBe(
        "31 Dec 2023, 19:00 EST (1 Jan, 00:00 UTC)",
      );
      const submitted = page.locator(".board td time").first();
      expect(await submitted.innerText()).not.toContain("UTC");
      expect(await submitted.getAttribute("title")).toContain("UTC");
      expect(await page.evaluate("window.shifts")).toBe(0);
      const plain = await browser.open({ javaScriptEnabled: false, timezoneId: "America/New_York" });
      await go(plain);
      expect(await plain.locator(".rounds time").first().innerText()).toBe("1 Jan 2024, 00:00 UTC");
    });

    it("copies each command as one line, and breaks it at its options on the page", async () => {
      const page = await browser.open({ permissions: ["clipboard-read", "clipboard-write"] });
      await page.setViewportSize({ width: 390, height: 800 });
      await go(page);
      const commands = page.locator(".commands").first();
      await commands.locator("button").click();
      const copied = String(await page.evaluate("navigator.clipboard.readText()")).split("\n");
      expect(copied.at(-1)).toBe(`npx crowdai submit predictions.csv -c test --broker ${test.broker.url}`);
      const broken = await page.evaluate(`[...document.querySelectorAll(".commands .part")]
        .filter((part) => [...part.getClientRects()].filter(({ width }) => width > 0).length > 1)
        .map((part) => part.textContent)`);
      expect(broken).toEqual([]);
    });

    it("switches between past and current rounds with plain links", async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await go(page);
      expect(await page.locator(".switches a").allInnerTexts()).toEqual(["Warm-up", "Final"]);
      await page.click(".switches >> text=Warm-up");
      expect(page.url()).toContain("round=1");
      expect(await page.locator(".empty").textContent()).toBe("No graded submissions yet.");
    });

    it("updates the leaderboard within a second of a grade, announces it, and keeps the focus", async () => {
      const page = await browser.open();
      await browser.signIn(page, test.broker.url, test.key);
      const following = page.waitForResponse((response) => response.url().endsWith("/leaderboard/events"));
      await go(page);
      await following;
      const mine = page.locator(".mine .when a");
      await mine.focus();
      // The page itself records when it changed, so that a slow poll from here does not count.
      await page.evaluate(`new MutationObserver(() => {
      window.movedAt = Date.now();
      window.heard ||= document.getElementById("announcer").textContent;
    }).observe(document.body, { subtree: true, childList: true })`);
      const took: number[] = [];
      // On a busy machine, one of them may be late.
      for (const score of [0.95, 0.96, 0.97]) {
        const id = await grade(ada, score);
        await page.locator(".board tr:first-child td.score", { hasText: String(score) }).waitFor();
        const { finished_at } = await test.records.db
          .selectFrom("submissions")
          .select("finished_at")
          .where("id", "=", id)
          .executeTakeFirstOrThrow();
        took.push(Number(await page.evaluate("window.movedAt")) - Date.parse(finished_at as string));
      }
      expect(Math.min(...took)).toBeLessThan(allowedMs(1000));
      expect(await names(page)).toEqual(["ada", "bob", "cid"]);
      expect(await page.evaluate("window.heard")).toBe("The leaderboard has changed.");
      expect(await page.evaluate("document.activeElement.closest('tr')?.className")).toContain("mine");
    });

    it("changes the theme permanently with a button, with and without a script", async () => {
      for (const javaScriptEnabled of [true, false]) {
        const page = await browser.open({ javaScriptEnabled, colorScheme: "light" });
        await go(page);
        const kept = page.waitForResponse((response) => response.url().endsWith("/theme"));
        await page.click(".themes >> text=Dark");
        await kept;
        const dark = page.locator('html[data-theme="dark"]');
        await dark.waitFor();
        await go(page, "/");
        await dark.waitFor();
      }
    });

    it("is printed dark on light, whatever the theme", async () => {
      const page = await browser.open({ colorScheme: "light" });
      await go(page);
      await page.click(".themes >> text=Dark");
      await page.locator('html[data-theme="dark"]').waitFor();
      const colors = () =>
        page.evaluate(
          "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]",
        );
      expect(await colors()).toEqual(["rgb(230, 237, 238)", "rgb(15, 20, 22)"]);
      await page.emulateMedia({ media: "print" });
      expect(await colors()).toEqual(["rgb(20, 32, 35)", "rgb(255, 255, 255)"]);
    });

    it("can be used with the keyboard: past the navigation first, then through links, tables and commands", async () => {
      const page = await browser.open();
      await go(page);
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to content");
      await page.keyboard.press("Enter");
      expect(await page.evaluate("document.activeElement.id")).toBe("content");
      const reached: string[] = [];
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press("Tab");
        const [name, outline] = (await page.evaluate(
          "[document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]",
        )) as [string, string];
        if (name.startsWith("Skip")) break;
        reached.push(name);
        expect([name, outline]).toEqual([name, "solid"]);
      }
      for (const wanted of [
        "Warm-up",
        "Leaderboard of Final",
        "Terminal",
        "Terminal: how to submit",
        "train.csv",
        "Dark",
      ])
        expect(reached).toContain(wanted);
    });
  },
);
