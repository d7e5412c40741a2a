import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWebapp, type WebappStage } from "../webapp-api/webapp-api-client.ts";
import { createPageClient } from "./page-client.ts";

const ID = "dQw4w9WgXcQ";

describe("media of an external grader, on the pages", () => {
  let test: WebappStage;
  let visitor: ReturnType<typeof createPageClient>;
  beforeAll(async () => {
    test = await startWebapp();
    visitor = createPageClient(test);
    await visitor.signIn(test.key);
  });
  afterAll(() => test?.close());

  let score = 0;
  /** Returns the thumbnail on the leaderboard, and the media of the submission's page. */
  async function shown(type: string, large: string, thumbnail: string): Promise<[string, string]> {
    const { body } = await test.create({
      ...{ grading_status: "graded", score: String(++score) },
      ...{ media_large: large, media_thumbnail: thumbnail, media_content_type: type },
    });
    const { id } = await test.records.db
      .selectFrom("submissions")
      .select("id")
      .where("number", "=", body.submission_id)
      .executeTakeFirstOrThrow();
    const board = await (await visitor.get("/challenges/test")).text();
    const page = await (await visitor.get(`/submissions/${id}`)).text();
    const inside = (text: string, from: string, to: string) => text.split(from)[1]?.split(to)[0] ?? "";
    return [
      inside(board, '<td class="thumb">', "</td>"),
      inside(page, '<section aria-labelledby="media">', "</section>"),
    ];
  }

  it.each([
    ["video/mp4", "v/clip.mp4", "v/clip_thumb.mp4", "video"],
    ["video/mp4", "v/clip", "v/clip_thumb", "video"],
    ["video/ogg", "v/clip.ogv", "v/clip_thumb.ogv", "video"],
    ["video/mp4", "v/clip.mp4", "v/clip_thumb.png", "img"],
    ["VIDEO/MP4", "v/clip.mp4", "v/clip_thumb.JPG", "img"],
    ["image/png", "v/plot.png", "v/plot.png", "img"],
    ["image/png", "v/plot", "v/plot", "img"],
    ["image/gif", "v/plot.gif", "v/plot.mp4", "video"],
    ["audio/mpeg", "v/tune.mp3", "v/wave.png", "img"],
  ])("%s of %s has the thumbnail %s drawn as <%s>", async (type, large, thumbnail, element) => {
    const [drawn, page] = await shown(type, large, thumbnail);
    expect(drawn).toContain(`<${element} src="${test.broker.url}/media/${thumbnail}`);
    // A moment in the address: some browsers draw no still without one.
    if (element === "video") expect(drawn).toContain(`${thumbnail}#t=`);
    expect(page).toContain(`src="${test.broker.url}/media/${large}"`);
    if (element === "video") expect(page).not.toContain("poster");
  });

  it.each(["application/png", "text/html", "png", "imagery/png"])(
    "%s is not drawn, and the submission's page says so",
    async (type) => {
      const [drawn, page] = await shown(type, "v/plot.png", "v/plot.png");
      expect(drawn).toBe("");
      expect(page).toContain(`Not shown: ${type} is not an image`);
      expect(page).not.toContain("<img");
    },
  );

  it.each(["video/youtube", "image/youtube"])("%s is a link; nothing is loaded from there", async (type) => {
    const [drawn, page] = await shown(type, ID, ID);
    expect(drawn).toMatch(/^<a href="\/submissions\/[^"]+">Video<\/a>$/);
    expect(page).toContain(`href="https://www.youtube-nocookie.com/embed/${ID}"`);
    for (const text of [drawn, page]) expect(text).not.toContain("<img");
  });
});
