import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { brokenWords, overflow, startBrowser, violations } from "./browser.ts";

describe("the page of the API", () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await startBroker({ withGrader: false });
  });
  afterAll(() => test?.close());

  const text = (html: string) =>
    html
      .replace(/<[^>]+>/g, "")
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'");

  it("has every operation of openapi.json with an example, and is linked from the foot of each page", async () => {
    const { paths } = (await (await test.fetch("/openapi.json")).json()) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    const page = text(await (await test.fetch("/api")).text());
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { summary }] of Object.entries(operations)) {
        expect(page).toContain(`${method.toUpperCase()} ${path}`);
        expect(page).toContain(summary);
      }
    expect(page.match(/curl http/g)?.length).toBe(Object.values(paths).flatMap(Object.keys).length);
    expect(await (await test.fetch("/")).text()).toContain('<a href="/api">API</a>');
  });

  it("has examples that work: the broker takes what they send", async () => {
    const page = text(await (await test.fetch("/api")).text());
    const address = /curl (\S+\/challenges\/CHALLENGE) -H/.exec(page)?.[1] as string;
    expect((await fetch(address.replace("CHALLENGE", "test"))).status).toBe(200);
    const body = /curl \S+\/api\/v1\/submissions -H .*? --json '(.*?)'/.exec(page)?.[1] as string;
    const response = await test.fetch("/api/v1/submissions", {
      key: test.key,
      method: "POST",
      body: JSON.parse(body.replaceAll("CHALLENGE", "test").replaceAll('"ID"', '"0123456789abcdef"')),
    });
    expect(await response.json()).toMatchObject({ submission: { state: "submitted" } });
  });

  it.skipIf(missing("chromium-headless-shell"))(
    "fits a phone, and is accessible",
    async () => {
      const browser = await startBrowser();
      try {
        const page = await browser.open({ viewport: { width: 390, height: 800 } });
        await page.goto(`${test.broker.url}/api`);
        expect(await violations(page)).toEqual([]);
        await page.evaluate(
          "for (const one of [...document.querySelectorAll('details')].slice(5, 9)) one.open = true",
        );
        expect([await overflow(page), await brokenWords(page)]).toEqual([[], []]);
        await browser.closePages();
      } finally {
        await browser.close();
      }
    },
    120_000,
  );
});
