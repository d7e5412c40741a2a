import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { addKey } from "../../src/domain/participants/api-keys.ts";
import type { TestBroker } from "../support/test-broker.ts";
import {
  brokenWords,
  cutScores,
  overflow,
  startBrowser,
  type TestBrowser,
  violations,
  WIDTHS,
} from "./browser.ts";
import { PEOPLE, startSeededBoard } from "./seeded-board.ts";

describe.skipIf(missing("chromium-headless-shell"))(
  "a leaderboard with everything on it, in a browser",
  () => {
    let test: TestBroker;
    let browser: TestBrowser;

    beforeAll(async () => {
      [test, browser] = await Promise.all([startSeededBoard(), startBrowser()]);
    });
    afterEach(() => browser.closePages());
    afterAll(async () => {
      await browser?.close();
      await test?.close();
    });

    const go = (page: Page, query = "") => page.goto(`${test.broker.url}/challenges/test${query}`);
    const names = (page: Page) => page.locator(".board tbody th bdi").allInnerTexts();
    const current = (page: Page, where: string) => page.locator(`${where} [aria-current]`).allTextContents();

    it("has pages of 50 rows, with plain links that keep the selected board", async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await go(page, "?board=ongoing");
      expect(await names(page)).toHaveLength(50);
      expect(await current(page, ".pager")).toEqual(["Page 1"]);
      expect(await page.locator(".count").innerText()).toBe(`${PEOPLE + 2} participants · Download as CSV`);
      await page.click(".pager a:has-text('2')");
      expect(new URL(page.url()).search).toBe("?round=2&board=ongoing&page=2");
      expect(await current(page, ".pager")).toEqual(["Page 2"]);
      expect(await names(page)).toEqual(Array.from({ length: 12 }, (_, i) => `p${i + 49}`));
      expect(await page.locator(".board .rank").first().innerText()).toBe("50");
      await page.click(".pager a:has-text('1')");
      expect(new URL(page.url()).search).toBe("?round=2&board=ongoing");
      await go(page, "?page=9");
      expect(await page.locator(".empty").innerText()).toBe("This page of the leaderboard is empty.");
      await page.click(".pager a:has-text('1')");
      expect((await names(page))[0]).toBe("p01");
    });

    it("finds participants by a part of their name, with their ranks, without a script", async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await go(page);
      await page.fill("#find", "P5");
      await page.click(".filter button");
      expect(await names(page)).toEqual([
        "p50",
        "p51",
        "p52",
        "p53",
        "p54",
        "p55",
        "p56",
        "p57",
        "p58",
        "p59",
      ]);
      expect(await page.locator(".board .rank").first().innerText()).toBe("50");
      expect(await page.locator(".count").innerText()).toBe("10 participants found");
      for (const other of ["%", "_", "zed"]) {
        await page.fill("#find", other);
        await page.click(".filter button");
        expect(await page.locator(".empty").innerText()).toBe(
          "No participant of this leaderboard has such a name.",
        );
      }
      await page.click("text=Whole leaderboard");
      expect(await names(page)).toHaveLength(50);
    });

    it("begins with the reader's own row where that is on another page", async () => {
      const { db } = test.records;
      const { id } = await db
        .selectFrom("participants")
        .select("id")
        .where("name", "=", "p55")
        .executeTakeFirstOrThrow();
      const key = await addKey(db, "participant", id, new Date().toISOString());
      const page = await browser.open({ viewport: { width: 390, height: 800 } });
      await browser.signIn(page, test.broker.url, key);
      await go(page);
      const own = page.locator(".board tbody tr").first();
      expect(await own.locator("bdi").first().innerText()).toBe("p55");
      expect(await own.locator(".rank").innerText()).toBe("55");
      await page.click("text=Your row: rank 55");
      expect(await page.locator("tr.pinned th:target").count()).toBe(1);
      await go(page, "?page=2");
      expect((await names(page))[0]).not.toBe("p55");
      expect(await page.locator("tr.mine").count()).toBe(1);
    });

    it("counts late submissions only on the ongoing board, and each round separately", async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await go(page);
      expect(await current(page, ".switches")).toEqual(["Final", "At the end"]);
      expect(await names(page)).not.toContain("late");
      await page.click(".switches >> text=Ongoing");
      expect(await current(page, ".switches")).toEqual(["Final", "Ongoing"]);
      expect((await names(page))[0]).toBe("late");
      expect(await page.locator(".board tbody tr").first().innerText()).toContain("after the end");
      await page.click(".switches >> text=Warm-up");
      expect(await current(page, ".switches")).toEqual(["Warm-up", "At the end"]);
      expect(await names(page)).toEqual(["p07"]);
      expect(await page.locator(".pager").count()).toBe(0);
    });

    it("shows a baseline unranked at its score's position, and the leader's image and code to everyone", async () => {
      const page = await browser.open();
      await go(page);
      expect((await names(page)).slice(0, 5)).toEqual(["p01", "p02", "p03", "Linear regression", "p04"]);
      const baseline = page.locator("tr.baseline");
      expect(await baseline.locator("td.rank").textContent()).toBe("no rank");
      expect(await baseline.locator("th .tag").innerText()).toBe("baseline");
      expect(await page.locator("tr.baseline + tr .rank").innerText()).toBe("4");
      expect(await baseline.locator("a").count()).toBe(0);

      const picture = page.locator(".board tr:first-child .thumb img");
      expect(await picture.getAttribute("alt")).toBe("Thumbnail of p01’s image");
      await picture.evaluate((image: { decode(): Promise<void> }) => image.decode());
      expect(await page.locator(".board .thumb img").count()).toBe(1);
      await picture.click();
      expect(new URL(page.url()).pathname).toBe("/submissions/of-p01");
      await page.locator("img.media").waitFor();
      await page.goBack();
      await page.click(".board td a:has-text('Code')");
      expect(page.url()).toBe(`${test.broker.url}/submissions/of-p01#code`);
      expect(await page.locator("#code + p").innerText()).toContain("Published under the MIT license");
      // This challenge shows no other participant's submissions.
      expect((await page.goto(`${test.broker.url}/submissions/of-p02`))?.status()).toBe(404);
    });

    it("repeats entries and time below the name where the columns do not fit, and breaks long names between their parts", async () => {
      const long = "Christopher-Alexander von Hohenlohe_of_the_team_of_energy";
      const rename = (name: string, to: string) =>
        test.records.db.updateTable("participants").set({ name: to }).where("name", "=", name).execute();
      await rename("p05", long);
      const page = await browser.open({ viewport: { width: 390, height: 800 } });
      await go(page);
      const row = page.locator(".board tr", { hasText: "Hohenlohe" });
      expect(await row.locator("td.wide").first().isVisible()).toBe(false);
      expect(await row.locator("th .folded").innerText()).toBe("1 entry · 1 Jun 2024, 00:00 UTC");
      expect(await row.locator("bdi").innerText()).toBe(long);
      expect([await cutScores(page), await brokenWords(page), await overflow(page)]).toEqual([[], [], []]);
      await page.setViewportSize({ width: 1280, height: 800 });
      expect(await row.locator("th .folded").isVisible()).toBe(false);
      expect(await row.locator("td.wide").first().isVisible()).toBe(true);
      await rename(long, "p05");
    });

    it("fits every width, and has no serious accessibility violations", async () => {
      const page = await browser.open();
      for (const query of ["?board=ongoing&page=2", ""]) {
        await go(page, query);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          expect([width, query, await overflow(page)]).toEqual([width, query, []]);
          expect([width, query, await cutScores(page)]).toEqual([width, query, []]);
          expect([width, query, await brokenWords(page)]).toEqual([width, query, []]);
        }
      }
      expect(await violations(page)).toEqual([]);
    }, 300_000);
  },
);
