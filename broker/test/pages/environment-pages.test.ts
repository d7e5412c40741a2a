import type { EnvironmentRecord, Receipt } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { finishedWith } from "../support/redis-broker.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { createToyGrader, environmentChallenge, type ToyGrader } from "../support/toy-sessions.ts";
import { overflow, startBrowser, type TestBrowser, violations, WIDTHS } from "./browser.ts";

const RECORD: EnvironmentRecord = {
  ...{ agent: "remote", grader: "toy", steps: 2200, invalid_actions: 1, resumed: 1 },
  episodes: [
    { episode: 1, seed_sha256: "1".repeat(64), steps: 1000, return: -6.25, ended: "truncated" },
    { episode: 2, seed_sha256: "2".repeat(64), steps: 1200, return: 31.2, ended: "terminated" },
  ],
  ...{ agent_ms: { p50: 1.5, p99: 20 }, environment_ms: { p50: 0.25, p99: 2 } },
};

describe.skipIf(missing("chromium-headless-shell"))("the pages of environments, in a browser", () => {
  let test: TestBroker;
  let toy: ToyGrader;
  let browser: TestBrowser;
  beforeAll(async () => {
    toy = createToyGrader();
    const environment = { seeds: { count: 2 }, old_clients: { env_id: "Run" } };
    [test, browser] = await Promise.all([
      startBroker({ runGrader: toy.run, challenges: [environmentChallenge({ environment })] }),
      startBrowser(),
    ]);
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await browser?.close();
    await test?.close();
  });

  const textOf = (page: Page, id: string) =>
    page.locator("section", { has: page.locator(`#${id}`) }).textContent();

  it("show how to connect an agent, a session as it is played, and its episodes at the end", async () => {
    const page = await browser.open();
    await browser.signIn(page, test.broker.url, test.key);
    await page.goto(`${test.broker.url}/challenges/test`);
    // Strings, because they run in the page.
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    const { origin } = new URL(test.broker.url);
    const ways = await textOf(page, "submit");
    for (const words of [
      `npx crowdai run -c test --broker ${test.broker.url} python3 agent.py`,
      `npx crowdai submit --code -c test --broker ${test.broker.url}`,
      "challenge.environment()",
      `Client("${origin}")`,
      'env_id="Run"',
    ])
      expect(ways).toContain(words);
    expect(ways).not.toContain("predictions");
    const how = await textOf(page, "environment");
    for (const words of ["1,000 in an episode", "divided by the number of episodes", "The seeds are secret"])
      expect(how).toContain(words);

    const client = await test.connect();
    const id = createSubmissionId();
    await client.ask<Receipt>("environment:create", { id, challenge: "test" });
    const taken = await toy.next();
    await toy.report(taken, { type: "started" });
    const message = "Episode 2 of 2, step 140, return 31.2";
    await page.goto(`${test.broker.url}/submissions/${id}`);
    await toy.report(taken, { type: "progress", stage: "play", percent: 60, message });
    await page.getByText(message).waitFor();
    expect(await page.locator(".facts").innerText()).toContain("a remote agent");

    const finished = finishedWith(taken, "toy", 12.5);
    await toy.report(taken, { ...finished, outcome: { ...finished.outcome, environment: RECORD } });
    taken.acknowledge();
    await page.locator("#episodes").waitFor();
    const rows = page.locator("section", { has: page.locator("#episodes") }).locator("tbody tr");
    expect((await rows.allInnerTexts()).map((row) => row.split("\t"))).toEqual([
      ["1", "truncated", "1,000", "−6.250"],
      ["2", "terminated", "1,200", "31.200"],
    ]);
    expect(await textOf(page, "episodes")).toContain("A remote agent played: 2,200 steps on toy.");

    for (const path of ["/challenges/test", `/submissions/${id}`]) {
      await page.goto(test.broker.url + path);
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      expect(await violations(page), path).toEqual([]);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page), `${path} at ${width}`).toEqual([]);
      }
    }
  });
});
