import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onPath } from "../../../test/required-programs.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const WIDTHS = [360, 768, 1280] as const;

export interface TestBrowser {
  /** An empty page of a new profile. What goes wrong in it is told by `close`. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** Signs the page's profile in. */
  signIn(page: Page, broker: string, key: string): Promise<void>;
  /** Closes every page. Throws what they complained of: errors of scripts, of the console, and breaches of the policy. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

/** Debian's Chromium, for all tests of a file. */
export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: onPath("chromium") as string,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
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
        // Chromium says so of each answer that is an error; tests that ask for one expect it.
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

/** What axe-core finds on the page that is serious or critical, each with the element. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`),
    );
}

/** What makes the page wider than its window: where it ends, and the elements that stick out of it. */
export const overflow = (page: Page): Promise<string[]> =>
  page.evaluate(`document.documentElement.scrollWidth <= innerWidth ? [] : [
    "the page ends at " + document.documentElement.scrollWidth,
    ...[...document.body.querySelectorAll("*")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .map((element) => element.outerHTML.slice(0, 120)),
  ]`) as Promise<string[]>;
