import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { invite } from "../../src/domain/participants/invitations.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { overflow, startBrowser, violations } from "./browser.ts";
import { createPageClient } from "./page-client.ts";

const DESCRIPTION = `Forecast **energy** with [$k$ neighbors](https://example.org), from $5 to $20 per MWh, in \`kWh\`. More follows.

$$
L(\\theta) = \\frac{1}{N} \\sum_{b=1}^{N} \\int_0^{24} \\left| f_\\theta(x_b, t) - y_b(t) \\right|^2 \\, dt + \\lambda \\lVert \\theta \\rVert_2^2
$$

The error is $\\sqrt{x}$, not $\\frac{1$.

![A week](plots/week.png) ![As text](public/fake.png) ![Gone](gone.png) ![Up](../challenge.json)
`;
const WEEK = "pictures/plots/week.png";

describe("a description", () => {
  let test: TestBroker;
  const html = async (path: string) => (await test.fetch(path)).text();

  beforeAll(async () => {
    test = await startBroker({
      withGrader: false,
      challenges: [
        { title: "Energy", description: DESCRIPTION },
        { id: "secret", description: DESCRIPTION, visibility: { private: true } },
      ],
      async prepare(folder) {
        const create = { width: 600, height: 200, channels: 3 as const, background: "#3a7" };
        const png = await sharp({ create }).png().toBuffer();
        for (const id of ["test", "secret"]) {
          const files = join(folder, "challenges", id, "public");
          await mkdir(join(files, "plots"), { recursive: true });
          await writeFile(join(files, "plots/week.png"), png);
          await writeFile(join(files, "fake.png"), "<script>alert(1)</script>");
          await writeFile(join(files, "plot.svg"), '<svg xmlns="http://www.w3.org/2000/svg"/>');
        }
      },
    });
  });
  afterAll(() => test?.close());

  it("has formulas as MathML, shows the source of those with a mistake, and leaves amounts of money alone", async () => {
    const page = await html("/challenges/test");
    expect(page).toContain('display="block"');
    expect(page).toContain("<msqrt><mi>x</mi></msqrt>");
    expect(page).toContain("<code>$\\frac{1$</code>");
    expect(page).toContain("from $5 to $20 per MWh");
  });

  it("shows pictures of the public folder with their size, and words for everything else", async () => {
    const page = await html("/challenges/test");
    expect(page).toMatch(
      new RegExp(`<img src="/challenges/test/${WEEK}\\?v=\\w{12}" alt="A week" width="600" height="200"`),
    );
    expect(page.match(/<img/g)).toHaveLength(1);
    for (const words of ["As text", "Gone", "Up"]) expect(page).toContain(words);
  });

  it("serves only files that are images by their content, with headers under which they run nothing", async () => {
    const picture = await test.fetch(`/challenges/test/${WEEK}`);
    expect(picture.status).toBe(200);
    expect(picture.headers.get("content-type")).toBe("image/png");
    expect(picture.headers.get("x-content-type-options")).toBe("nosniff");
    expect(picture.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect((await picture.arrayBuffer()).byteLength).toBe(Number(picture.headers.get("content-length")));
    for (const name of ["fake.png", "plot.svg", "gone.png", "..%2Fchallenge.json", "%2e%2e/challenge.json"])
      expect([name, (await test.fetch(`/challenges/test/pictures/${name}`)).status]).toEqual([name, 404]);
  });

  it("shows the pictures of a private challenge to those who see it", async () => {
    const path = `/challenges/secret/${WEEK}`;
    expect((await test.fetch(path)).status).toBe(404);
    await invite(test.records, "ada", ["secret"], new Date().toISOString());
    const ada = createPageClient(test);
    await ada.signIn(test.key);
    const picture = await ada.get(path);
    expect([picture.status, picture.headers.get("cache-control")]).toEqual([200, "private, no-cache"]);
    await picture.arrayBuffer();
    const host = createPageClient(test);
    await host.signIn(await addOrganizer(test.records, "host", ["test"], new Date().toISOString()));
    expect((await host.get(path)).status).toBe(404);
  });

  it("is one plain sentence in the list of challenges", async () => {
    expect(await html("/")).toContain(
      "Forecast energy with k neighbors, from $5 to $20 per MWh, in kWh.</bdi>",
    );
  });

  it.skipIf(missing("chromium-headless-shell"))(
    "fits a phone, is accessible, and breaks no rule of the content-security policy",
    async () => {
      const browser = await startBrowser();
      try {
        const page = await browser.open({ viewport: { width: 390, height: 800 } });
        await page.goto(`${test.broker.url}/challenges/test`);
        await page.locator(".prose img").evaluate((image: { decode(): Promise<void> }) => image.decode());
        expect(await overflow(page)).toEqual([]);
        expect(await violations(page)).toEqual([]);
        await browser.closePages();
      } finally {
        await browser.close();
      }
    },
    120_000,
  );
});
