import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import {
  brokenWords,
  cutScores,
  overflow,
  startBrowser,
  type TestBrowser,
  violations,
  WIDTHS,
} from "./browser.ts";

const LONG = {
  name: "Augusta Ada King-Noel, Countess of Lovelace and Ockham-Byron",
  affiliation:
    "Department of Analytical Engines, University of Somewhere-upon-Very-Long-Name, Faculty of Mathematics",
  link: "https://a-rather-long-name-of-a-host.department-of-analysis.example/~ada",
};

describe.skipIf(missing("chromium-headless-shell"))("a profile, in a browser", () => {
  let test: TestBroker;
  let browser: TestBrowser;
  let folder: string;
  let id: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-profile-page-"));
    [test, browser] = await Promise.all([
      startBroker({ env: { PATH: process.env.PATH ?? "" } }),
      startBrowser(),
    ]);
    const submit = async (key: string, score: number) => {
      const client = await test.connect({ key });
      const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
      await untilEnd(client, submission.id);
      return submission.id;
    };
    id = await submit(test.key, 0.5);
    await submit(await test.addParticipant("bo"), 0.75);
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await browser?.close();
    await test?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const go = (page: Page, path: string) => page.goto(test.broker.url + path);

  it("is set and removed with forms, without a script", async () => {
    const photo = join(folder, "ada.jpg");
    await writeFile(
      photo,
      await sharp({ create: { width: 600, height: 300, channels: 3, background: "#a33" } })
        .jpeg()
        .toBuffer(),
    );
    const page = await browser.open({ javaScriptEnabled: false });
    await browser.signIn(page, test.broker.url, test.key);
    await page.click("header >> text=ada");
    for (const [part, text] of Object.entries(LONG)) await page.fill(`#${part}`, text);
    await page.click("text=Save");
    await page.setInputFiles("#picture", photo);
    await page.click("text=Set the picture");
    expect(await page.locator(".shown-profile bdi").first().innerText()).toBe(LONG.name);
    expect(await page.locator("img.face").count()).toBe(2);
    await page.setInputFiles("#picture", {
      name: "a.png",
      mimeType: "image/png",
      buffer: Buffer.from("no image"),
    });
    await page.click("text=Replace the picture");
    expect(await page.locator("#failed").innerText()).toContain("must be a PNG");

    for (const path of ["/profile", "/challenges/test", `/submissions/${id}`]) {
      await go(page, path);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        expect([path, width, await overflow(page)]).toEqual([path, width, []]);
        expect([path, width, await cutScores(page)]).toEqual([path, width, []]);
        expect([path, width, await brokenWords(page)]).toEqual([path, width, []]);
      }
    }
  });

  it("has no serious accessibility violations, and its picture loads under the pages' policy", async () => {
    const page = await browser.open();
    await browser.signIn(page, test.broker.url, test.key);
    for (const path of ["/profile", "/challenges/test"]) {
      await go(page, path);
      const picture = page.locator("img.face").first();
      await picture.scrollIntoViewIfNeeded();
      await picture.evaluate((image: { decode(): Promise<void> }) => image.decode());
      expect([path, await violations(page), await violations(page, "dark")]).toEqual([path, [], []]);
    }
    await go(page, "/profile");
    await page.click("text=Remove the whole profile");
    expect(await page.locator("img.face").count()).toBe(0);
    expect(await page.inputValue("#name")).toBe("");
  });
});
