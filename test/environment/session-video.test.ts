import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runEmbeddedGrader } from "../../broker/src/startup/embedded-grader.ts";
import {
  overflow,
  startBrowser,
  type TestBrowser,
  violations,
  WIDTHS,
} from "../../broker/test/pages/browser.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { until } from "../../broker/test/support/until.ts";
import { Challenge } from "../../cli/src/index.ts";
import { missing } from "../required-programs.ts";

/**
 * A small ball that moves to the right, drawn ten times a second. The sides of an image are odd, which H.264
 * cannot have.
 */
const ENVIRONMENT = `WIDTH, HEIGHT = 49, 65
class Ball:
    action_space = {"name": "Text"}
    observation_space = {"name": "Any"}
    render_mode = "rgb_array"
    metadata = {"render_fps": 10}
    def reset(self, seed=None):
        self.n = 0
        return [0], {}
    def step(self, action):
        self.n += 1
        return [self.n], 1.0, self.n == 4, False, {}
    def render(self):
        row = lambda y: [self.color(x, y) for x in range(WIDTH)]
        return [row(y) for y in range(HEIGHT)]
    def color(self, x, y):
        isBall = (x - 8 - 8 * self.n) ** 2 + (y - HEIGHT // 2) ** 2 < 64
        return [220, 60, 40] if isBall else [235, 240, 250]
`;

describe.skipIf(missing("python3", "ffmpeg", "chromium-headless-shell"))("a session that is drawn", () => {
  let test: TestBroker;
  let browser: TestBrowser;
  beforeAll(async () => {
    [test, browser] = await Promise.all([
      startBroker({
        runGrader: (needs) => runEmbeddedGrader(needs),
        challenges: [
          {
            ...{ id: "drawn", evaluator: { gym: "env.py:Ball", timeout_seconds: 20 } },
            environment: { agents: ["remote"], seeds: { count: 2 } },
          },
        ],
        prepare: (folder) => writeFile(join(folder, "challenges/drawn/env.py"), ENVIRONMENT),
      }),
      startBrowser(),
    ]);
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await browser?.close();
    await test?.close();
  });

  /** Plays a session, and resolves with its submission once its video is ready. */
  async function play(): Promise<Submission> {
    const opened = await Challenge.open("drawn", { apiKey: test.key, broker: test.broker.url });
    const env = await opened.environment<number[], string>();
    while (await env.reset()) while (!(await env.step("go")).done);
    await env.submit();
    await opened.close();
    return until(async () => {
      const read = (await (await test.fetch(`/api/v1/submissions/${env.id}`)).json()) as Submission;
      expect(read.media_dropped ?? null).toBeNull();
      return read.media && read;
    });
  }
  const played = (page: Page) =>
    page.locator("video.media").evaluate(async (one) => {
      // biome-ignore lint/suspicious/noExplicitAny: the types of browsers are not loaded here
      const player = one as any;
      player.muted = true;
      await player.play();
      const { duration, videoWidth, videoHeight, error } = player;
      return { duration, videoWidth, videoHeight, error };
    });

  it("has a video on its page, which is wide enough for its controls", async () => {
    const { id } = await play();
    const page = await browser.open();
    await browser.signIn(page, test.broker.url, test.key);
    await page.goto(`${test.broker.url}/submissions/${id}`);
    // Two resets and eight steps, ten images a second.
    const shown = { error: null, videoWidth: 48, videoHeight: 64, duration: expect.closeTo(1, 1) };
    expect(await played(page)).toEqual(shown);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      expect((await page.locator("video.media").boundingBox())!.width).toBeGreaterThan(300);
      expect(await overflow(page), `at ${width}`).toEqual([]);
    }
    expect(await violations(page)).toEqual([]);
    await page.goto(`${test.broker.url}/challenges/drawn`);
    await until(() =>
      page.locator("td img").evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth > 0),
    );
  });
});
