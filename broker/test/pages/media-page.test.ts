import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId } from "@crowdai/shared";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { MEDIA_TIMEOUT, noise, type Stage, startStage } from "../media/media-broker.ts";
import { untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { overflow, startBrowser, type TestBrowser, violations, WIDTHS } from "./browser.ts";

const RUNS = "<script>window.owned=1;top.owned=1</script>";
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned=1"><script>window.owned=1</script></svg>`;

describe.skipIf(missing("chromium-headless-shell", "python3"))("media, in a browser", MEDIA_TIMEOUT, () => {
  let stage: Stage;
  let browser: TestBrowser;

  beforeAll(async () => {
    [stage, browser] = await Promise.all([startStage(), startBrowser()]);
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  const go = (page: Page, path: string) => page.goto(stage.broker.url + path);
  async function signedIn(options: Parameters<TestBrowser["open"]>[0] = {}): Promise<Page> {
    const page = await browser.open(options);
    await browser.signIn(page, stage.broker.url, stage.key);
    return page;
  }
  async function write(name: string, bytes: Uint8Array | string): Promise<{ copy: string; name: string }> {
    const copy = join(stage.folder, name);
    await writeFile(copy, bytes);
    return { copy, name };
  }
  async function shown(name: string, bytes: Uint8Array | string, score = 1) {
    const { id } = await stage.submit({ score, media: await write(name, bytes) });
    return stage.settled(id);
  }
  async function isDrawn(page: Page, selector: string): Promise<void> {
    const image = page.locator(selector).first();
    await image.waitFor();
    await image.scrollIntoViewIfNeeded();
    await until(() => image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth > 0));
  }

  it("appear without a reload on a page that was open when the grade arrived", async () => {
    const page = await signedIn();
    const hold = join(stage.folder, "hold");
    const { submission } = await stage.client.submit({
      id: createSubmissionId(),
      input: {
        kind: "inline",
        data: {
          score: 0.5,
          hold,
          media: await write("plot.png", await noise(1600, 1200).png().toBuffer()),
        },
      },
    });
    await go(page, `/submissions/${submission.id}`);
    await page.evaluate("window.loaded = 1");
    await writeFile(hold, "");
    await untilEnd(stage.client, submission.id);
    await isDrawn(page, "img.media");
    expect(await page.evaluate("window.loaded")).toBe(1);
    const announcer = page.locator("#announcer");
    await until(async () => (await announcer.textContent()) === "Graded: Score 0.500. Its media are ready.");
    expect(await page.locator("[data-live]").count()).toBe(0);
  });

  it("are announced while they are prepared; dropped ones are explained", async () => {
    const { id } = await stage.submit({ score: 0.1 });
    const { db } = stage.records;
    await db
      .insertInto("media_work")
      .values({
        submission: id,
        attempt: 1,
        source: "{}",
        replaces: "[]",
        name: "held",
        tries: 0,
        due_at: "2999-01-01T00:00:00.000Z",
      })
      .execute();
    const [page, plain] = [await signedIn(), await signedIn({ javaScriptEnabled: false })];
    for (const one of [page, plain]) {
      await go(one, `/submissions/${id}`);
      expect(await one.locator("section[aria-labelledby=media]").innerText()).toContain("being prepared");
    }
    await db
      .updateTable("submissions")
      .set({ media_dropped: "The file is not an image." })
      .where("id", "=", id)
      .execute();
    await db.deleteFrom("media_work").where("submission", "=", id).execute();
    await page.locator("text=Not shown: The file is not an image.").waitFor();
    expect(await page.locator("text=being prepared").count()).toBe(0);
  });

  it("appear on the leaderboard and with their submission at every width, with alternative texts", async () => {
    const { id } = await shown("best.png", await noise(1600, 300).png().toBuffer(), 99);
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await signedIn({ colorScheme });
      for (const [path, image] of [
        ["/challenges/test", ".board .thumb img"],
        [`/submissions/${id}`, "img.media"],
      ] as const) {
        await go(page, path);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          await isDrawn(page, image);
          expect([path, width, await overflow(page)]).toEqual([path, width, []]);
        }
        expect(await violations(page, colorScheme)).toEqual([]);
      }
    }
    const plain = await signedIn({ javaScriptEnabled: false });
    await go(plain, "/challenges/test");
    expect(await plain.locator(".board .thumb img").first().getAttribute("alt")).toBe(
      "Thumbnail of ada’s image",
    );
    await plain.locator(".board .thumb a").first().click();
    expect(plain.url()).toContain(`/submissions/${id}`);
    expect(await plain.locator("img.media").getAttribute("alt")).not.toBe("");
  });

  it("run no scripts, whatever type an evaluator claims: neither on a page nor when opened directly", async () => {
    const page = await signedIn();
    for (const [name, bytes] of [
      ["drawing.svg", SVG],
      ["drawing.png", SVG],
      ["page.html", RUNS],
      ["page.png", `<!doctype html>${RUNS}`],
      ["page.gif", `GIF89a/*${RUNS}`],
    ] as const) {
      const { id, media, media_dropped } = await shown(name, bytes);
      expect([name, media]).toEqual([name, null]);
      expect(media_dropped).not.toBeNull();
      await go(page, `/submissions/${id}`);
      expect(await page.locator("section[aria-labelledby=media]").innerText()).toContain("Not shown: ");
      expect([name, await page.evaluate("window.owned")]).toEqual([name, undefined]);
    }

    // An image with a page after its last byte: the image is re-encoded, so the page is gone.
    const { media } = await shown(
      "both.png",
      Buffer.concat([await noise(20, 20).png().toBuffer(), Buffer.from(RUNS)]),
    );
    for (const address of [media!.large, media!.thumbnail]) {
      const answer = await page.goto(address);
      expect(answer?.headers()["content-type"]).toMatch(/^image\/(png|webp)$/);
      expect(answer?.headers()["x-content-type-options"]).toBe("nosniff");
      expect(answer?.headers()["content-security-policy"]).toContain("sandbox");
      expect(Buffer.from((await answer?.body()) ?? "").includes("script")).toBe(false);
      expect(await page.evaluate("window.owned")).toBe(undefined);
    }
  });

  it("of external graders link only to web addresses", async () => {
    const { id } = await stage.submit({ score: 0.2 });
    const page = await signedIn();
    for (const [large, thumbnail, type] of [
      ["javascript:window.owned=1", "data:text/html,x", "image/png"],
      ["https://example.org/a.svg", "https://example.org/b.svg", "text/html"],
      ['"><script>window.owned=1</script>', "x", "video/mp4"],
    ] as const) {
      await stage.records.db
        .updateTable("submissions")
        .set({ media_large: large, media_thumbnail: thumbnail, media_content_type: type })
        .where("id", "=", id)
        .execute();
      for (const path of [`/submissions/${id}`, "/challenges/test"]) {
        await go(page, path);
        expect(
          await page.locator('[src^="javascript" i], [src^="data" i], [href^="javascript" i]').count(),
        ).toBe(0);
        expect([large, await page.evaluate("window.owned")]).toEqual([large, undefined]);
      }
    }
  });
});
