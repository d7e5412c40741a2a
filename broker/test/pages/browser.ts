import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onPath } from "../../../scripts/lib/find-program.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const WIDTHS = [360, 390, 768, 1280] as const;

export interface TestBrowser {
  /** Opens an empty page in a new profile. `close` reports its errors. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** Signs in with the page's profile. */
  signIn(page: Page, broker: string, key: string): Promise<void>;
  /**
   * Closes every page. Throws their errors: of scripts, on the console, and violations of the
   * content-security policy.
   */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts Debian's Chromium, the build without windows, once for all tests of a file: a page costs it a fifth
 * of the processor time.
 */
export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: onPath("chromium-headless-shell") as string,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      // One process less to pass every frame on to: a fifth of the processor time.
      "--in-process-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  let complaints: string[] = [];
  return {
    async open(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
      page.on("console", (message) => {
        const text = message.text();
        // Chromium reports every error response; tests that request one expect it.
        if (message.type() === "error" && !text.startsWith("Failed to load resource")) complaints.push(text);
      });
      return page;
    },
    async signIn(page, broker, key) {
      await page.goto(`${broker}/sign-in`);
      await page.fill("#key", key);
      await page.click("main button");
      await page.waitForURL(`${broker}/`);
    },
    async closePages() {
      await Promise.all(browser.contexts().map((context) => context.close()));
      const heard = complaints;
      complaints = [];
      if (heard.length > 0) throw new Error(`the browser complained:\n${heard.join("\n")}`);
    },
    close: () => browser.close(),
  };
}

/** The rules that a theme can break. */
const RULES_OF_COLORS = ["color-contrast", "link-in-text-block"];

/**
 * Returns the serious and critical violations that axe-core finds on the page, with their elements. In the
 * dark theme only those of colors: all others are the same in both.
 */
export async function violations(page: Page, colorScheme: "light" | "dark" = "light"): Promise<string[]> {
  await page.evaluate(axe);
  const options = {
    resultTypes: ["violations"],
    ...(colorScheme === "dark" && { runOnly: RULES_OF_COLORS }),
  };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`),
    );
}

/** Returns the elements that make the page wider than its window. */
export const overflow = (page: Page): Promise<string[]> =>
  page.evaluate(`document.documentElement.scrollWidth <= innerWidth ? [] : [
    "the page ends at " + document.documentElement.scrollWidth,
    ...[...document.body.querySelectorAll("*")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .map((element) => element.outerHTML.slice(0, 120)),
  ]`) as Promise<string[]>;

/**
 * Returns the words that are broken though they would fit on a line of their own. Parts joined by marks are
 * words.
 */
export const brokenWords = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const found = [];
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (texts.nextNode()) {
      const { data, parentElement: parent } = texts.currentNode;
      if (!parent.checkVisibility() || parent.closest(".unseen, .digest, pre, svg, math")) continue;
      range.selectNodeContents(texts.currentNode);
      if (range.getClientRects().length < 2) continue;
      let box = parent;
      while (getComputedStyle(box).display.startsWith("inline")) box = box.parentElement;
      for (const { 0: word, index } of data.matchAll(/[\\p{L}\\p{N}.,]+/gu)) {
        range.setStart(texts.currentNode, index);
        range.setEnd(texts.currentNode, index + word.length);
        const lines = [...range.getClientRects()];
        const width = lines.reduce((sum, line) => sum + line.width, 0);
        if (new Set(lines.map((line) => Math.round(line.top))).size > 1 && width < box.clientWidth)
          found.push(word);
      }
    }
    return found;
  })()`) as Promise<string[]>;

/** Returns the scores whose digits are not all inside the window and the box that scrolls. */
export const cutScores = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll("td.score")]
    .filter((cell) => {
      const { left, right } = cell.getBoundingClientRect();
      const box = cell.closest(".scroll").getBoundingClientRect();
      return left < box.left || right > Math.min(box.right, innerWidth) + 1;
    })
    .map((cell) => cell.textContent)`) as Promise<string[]>;
