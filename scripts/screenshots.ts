// Makes docs/images: the pages of a broker in which a dozen participants submitted to the demo's challenge
// for two weeks. The broker runs in this process, on a clock of the story's, which Bun can do and Node.js
// cannot (.tsx): run it so.
//
//   node_modules/.bin/bun scripts/screenshots.ts
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { addParticipant } from "../broker/src/domain/participants/api-keys.ts";
import { createBroker, readConfig } from "../broker/src/index.ts";
import { openRecords } from "../broker/src/records/open.ts";
import { onPath } from "./lib/find-program.ts";
import { root } from "./lib/root.ts";
import { submit, tries } from "./screenshots/seeded-submissions.ts";

const DAYS = 13;
const END = Date.parse("2026-11-24T16:40:00Z");
const images = join(root, "docs/images");

const folder = mkdtempSync(join(tmpdir(), "crowdai-screenshots-"));
cpSync(join(root, "scripts/demo/challenges"), join(folder, "challenges"), { recursive: true });
const config = readConfig(
  { port: 0, data: join(folder, "data"), challenges: join(folder, "challenges"), withGrader: true },
  { LOG_LEVEL: "silent" },
  folder,
);
let now = END - DAYS * 24 * 3600_000;
const broker = await createBroker({ config, log: pino({ level: "silent" }), clock: () => new Date(now) });
const records = await openRecords(config);
const browser = await chromium.launch({
  executablePath: onPath("chromium-headless-shell") ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
});
try {
  const keys = new Map<string, string>();
  let last = "";
  for (const one of tries(END, DAYS)) {
    now = one.at;
    const key = keys.get(one.name) ?? (await addParticipant(records, one.name, new Date(now).toISOString()));
    keys.set(one.name, key);
    const { id } = await submit(broker.url, key, one);
    if (one.name === "ada") last = id;
  }
  now = END;
  await shoot(keys.get("ada") as string, last);
} finally {
  await browser.close();
  await records.close();
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function shoot(key: string, submission: string): Promise<void> {
  mkdirSync(images, { recursive: true });
  for (const theme of ["light", "dark"] as const) {
    const page = await signedIn(key, { width: 1280, height: 900 }, theme);
    await page.goto(`${broker.url}/challenges/iris`);
    await saveScreenshot(page, `challenge-${theme}`, 1280);
    await page.goto(`${broker.url}/submissions?challenge=iris`);
    if (theme === "light") await saveScreenshot(page, "submissions-light", 900);
    await page.goto(`${broker.url}/submissions/${submission}`);
    if (theme === "light") await saveScreenshot(page, "submission-light", 800);
    await page.goto(`${broker.url}/`);
    if (theme === "dark") await saveScreenshot(page, "challenges-dark", 520);
    await page.context().close();
  }
  const phone = await signedIn(key, { width: 360, height: 740 }, "light");
  await phone.goto(`${broker.url}/challenges/iris#leaderboard`);
  await saveScreenshot(phone, "phone-light", 740);
}

async function signedIn(
  key: string,
  viewport: { width: number; height: number },
  colorScheme: "light" | "dark",
): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.goto(`${broker.url}/sign-in`);
  await page.fill("#key", key);
  await page.click("main button");
  await page.waitForURL(`${broker.url}/`);
  return page;
}

/** Keeps what is seen, at most `height` high, as a small palette picture. */
async function saveScreenshot(page: Page, name: string, height: number): Promise<void> {
  await page.waitForLoadState("load");
  const { width } = page.viewportSize() as { width: number };
  await page.setViewportSize({ width, height });
  const png = await page.screenshot();
  const file = join(images, `${name}.png`);
  const { size } = await sharp(png).png({ palette: true, colours: 128, effort: 10 }).toFile(file);
  console.log(`${name}.png ${(size / 1000).toFixed(0)} kB`);
}
