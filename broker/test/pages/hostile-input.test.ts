import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { overflow, startBrowser, type TestBrowser, violations, WIDTHS } from "./browser.ts";

const SCRIPT = `"><script>window.owned=1</script><img src=x onerror="window.owned=1">`;
const TURNED = "\u202Eevil\u2066\u200F";
const LONG = "W".repeat(10_000);
const MARKDOWN = `
<script>window.owned=1</script> <img src=x onerror="window.owned=1"> <style>body{display:none}</style>

[a](javascript:window.owned=1) [b](data:text/html,<script>window.owned=1</script>) <javascript:window.owned=1>

![x](javascript:window.owned=1) ![" onerror="window.owned=1](https://example.org/" onerror="window.owned=1)

[c]: javascript:window.owned=1
[c] ${LONG} ${TURNED}

| ${"| ".repeat(50)}
|${"---|".repeat(50)}
`;

describe.skipIf(missing("chromium-headless-shell", "python3"))("pages with hostile input", () => {
  let test: TestBroker;
  let browser: TestBrowser;
  let submission: string;

  beforeAll(async () => {
    [test, browser] = await Promise.all([
      startBroker({
        challenges: [
          {
            title: SCRIPT + LONG,
            description: MARKDOWN,
            score: { title: SCRIPT + LONG, precision: 3 },
            rounds: [
              { id: "0", title: LONG, ends_at: "2020-01-01T00:00:00Z" },
              { id: "1", title: SCRIPT },
            ],
          },
        ],
      }),
      startBrowser(),
    ]);
    const client = await test.connect();
    for (const [name, score] of [
      [SCRIPT, 0.9],
      [`${TURNED}\u0000${LONG}`, 0.8],
      ["'-alert(1)-'{{7*7}}<%= 7*7 %>", 0.7],
    ] as const) {
      const key = await test.addParticipant(`person ${score}`);
      const other = await test.connect({ key });
      const receipt = await other.submit({ input: { kind: "inline", data: { score } } });
      await untilEnd(other, receipt.submission.id);
      // The broker refuses such a name today; the records of an external webapp may hold one.
      await test.records.db
        .updateTable("participants")
        .set({ name: name.replaceAll("\u0000", "\u0001") })
        .where("name", "=", `person ${score}`)
        .execute();
    }
    const receipt = await client.submit({
      message: `${SCRIPT}\n${TURNED}\u0007${LONG.slice(0, 9000)}`,
      input: { kind: "inline", data: { score: 1e308, message: SCRIPT + TURNED + LONG } },
    });
    await untilEnd(client, receipt.submission.id);
    submission = receipt.submission.id;
    await test.records.db
      .updateTable("submissions")
      .set({ input_name: SCRIPT + TURNED })
      .where("id", "=", submission)
      .execute();
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await browser?.close();
    await test?.close();
  });

  it("run nothing, load nothing, break nothing, at any width", async () => {
    const page = await browser.open();
    const strangers: string[] = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(test.broker.url)) strangers.push(request.url());
    });
    await browser.signIn(page, test.broker.url, test.key);
    for (const path of [
      "/",
      "/challenges/test",
      "/challenges/test?round=0",
      `/submissions/${submission}`,
      "/submissions",
      `/challenges/${encodeURIComponent(SCRIPT)}`,
      `/submissions/${encodeURIComponent(SCRIPT)}`,
      `/sign-in?next=${encodeURIComponent(SCRIPT)}`,
      `/submissions?challenge=${encodeURIComponent(SCRIPT)}&page=-1`,
      `/${encodeURIComponent(SCRIPT + TURNED)}`,
    ]) {
      await page.goto(test.broker.url + path);
      expect([path, await page.evaluate("window.owned")]).toEqual([path, undefined]);
      expect([path, await page.locator("main h1").isVisible()]).toEqual([path, true]);
      expect([
        path,
        await page.locator('[onerror], [href^="javascript" i], [href^="data" i]').count(),
      ]).toEqual([path, 0]);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        expect([path, width, await overflow(page)]).toEqual([path, width, []]);
      }
    }
    expect(strangers).toEqual([]);
  });

  it("show names as text that cannot change the direction of the text beside it or fill a page", async () => {
    const page = await browser.open();
    await page.goto(`${test.broker.url}/challenges/test`);
    const people = await page.locator(".board tbody th bdi").allTextContents();
    expect(people).toContain(`${SCRIPT}`.slice(0, 60) + (SCRIPT.length > 60 ? "…" : ""));
    for (const name of people) {
      expect(name.length).toBeLessThanOrEqual(61);
      for (const unseen of `${TURNED.replace("evil", "")}\u0001`) expect(name).not.toContain(unseen);
    }
    expect(await violations(page)).toEqual([]);
  });
});
