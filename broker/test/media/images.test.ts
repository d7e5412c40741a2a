import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Leaderboard } from "@crowdai/shared";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hugePng } from "./huge-png.ts";
import { MEDIA_TIMEOUT, noise, type Stage, startStage } from "./media-broker.ts";

describe("an image of an evaluator", MEDIA_TIMEOUT, () => {
  let stage: Stage;
  let files: string;
  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), "crowdai-pictures-"));
    stage = await startStage();
  });
  afterAll(async () => {
    await stage?.close();
    await rm(files, { recursive: true, force: true });
  });

  async function write(name: string, bytes: Uint8Array | string): Promise<string> {
    await writeFile(join(files, name), bytes);
    return join(files, name);
  }
  async function show(name: string, bytes: Uint8Array | string) {
    const graded = await stage.submit({ media: { copy: await write(name, bytes), name } });
    expect(graded).toMatchObject({ state: "graded", score: 1 });
    return stage.settled(graded.id);
  }
  async function fetchImage(url: string, headers: Record<string, string> = {}) {
    const answer = await fetch(url, { headers });
    return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
  }
  async function animation() {
    const frames = [];
    for (let i = 0; i < 5; i++)
      frames.push(
        await sharp({
          create: { width: 300, height: 200, channels: 3, background: { r: i * 40, g: 9, b: 99 } },
        })
          .png()
          .toBuffer(),
      );
    return sharp(frames, { join: { animated: true } });
  }

  it("becomes a large image and a thumbnail, with their types", async () => {
    const { media, media_dropped } = await show("plot.png", await noise(2000, 1500).png().toBuffer());
    expect(media_dropped).toBeNull();
    expect(media).toMatchObject({ type: "image/png", preview: null });
    expect(media?.large).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/media\/image\/large-[0-9a-f]{32}\.png$/);
    expect(media?.thumbnail).toMatch(/\/media\/image\/thumb-[0-9a-f]{32}\.webp$/);
    const [large, thumbnail] = [await fetchImage(media!.large), await fetchImage(media!.thumbnail)];
    expect(large.answer.headers.get("content-type")).toBe("image/png");
    expect(thumbnail.answer.headers.get("content-type")).toBe("image/webp");
    expect(await sharp(large.bytes).metadata()).toMatchObject({ format: "png", width: 1600, height: 1200 });
    expect(await sharp(thumbnail.bytes).metadata()).toMatchObject({
      format: "webp",
      width: 267,
      height: 200,
    });
  });

  it("appears on the leaderboard with its submission", async () => {
    const copy = await write("best.png", await noise(30, 20).png().toBuffer());
    const { id } = await stage.submit({ score: 99, media: { copy, name: "best.png" } });
    const { media } = await stage.settled(id);
    const answer = await stage.fetch("/api/v1/challenges/test/leaderboard", { key: null });
    const board = (await answer.json()) as Leaderboard;
    expect(board.rows[0]).toMatchObject({ submission: id, media });
    expect(media).not.toBeNull();
  });

  it("is not enlarged", async () => {
    const { media } = await show("dot.png", await noise(3, 2).png().toBuffer());
    const { bytes } = await fetchImage(media!.large);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 3, height: 2 });
  });

  it("is upright and without the place where it was taken", async () => {
    const photo = await noise(400, 300)
      .jpeg()
      .withExif({ IFD0: { Copyright: "private title" }, IFD3: { GPSLatitude: "51/1 30/1 0/1" } })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const { media } = await show("photo.jpg", photo);
    for (const url of [media!.large, media!.thumbnail]) {
      const { bytes } = await fetchImage(url);
      const found = await sharp(bytes).metadata();
      expect(found.height).toBeGreaterThan(found.width);
      expect(found).not.toHaveProperty("exif");
      expect(found.orientation).toBeUndefined();
      expect(bytes.includes("private title")).toBe(false);
    }
  });

  it.each(["gif", "webp"] as const)(
    "stays animated in large as %s, with a still thumbnail",
    async (format) => {
      const animated = await animation();
      const { media } = await show(
        `video.${format}`,
        await animated[format]({ delay: Array(5).fill(80) } as never).toBuffer(),
      );
      expect(media?.type).toBe(`image/${format}`);
      const large = await fetchImage(media!.large);
      expect(await sharp(large.bytes, { animated: true }).metadata()).toMatchObject({ format, pages: 5 });
      const thumbnail = await fetchImage(media!.thumbnail);
      expect((await sharp(thumbnail.bytes, { animated: true }).metadata()).pages ?? 1).toBe(1);
    },
  );

  it("has the type of its content, whatever its name", async () => {
    const { media } = await show("plot.svg", await noise(30, 20).jpeg().toBuffer());
    expect(media?.type).toBe("image/jpeg");
    const avif = await show("plot.png", await noise(30, 20).avif().toBuffer());
    expect(avif.media?.type).toBe("image/webp");
  });

  it("loses data appended to it", async () => {
    const polyglot = Buffer.concat([
      await noise(30, 20).png().toBuffer(),
      Buffer.from("<script>alert(1)</script>PK\x03\x04"),
    ]);
    const { media } = await show("both.png", polyglot);
    const { bytes } = await fetchImage(media!.large);
    expect(bytes.includes("script")).toBe(false);
  });

  it("is served for viewing only", async () => {
    const { media } = await show("plot.png", await noise(60, 40).png().toBuffer());
    const { answer, bytes } = await fetchImage(media!.large);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "cache-control": "public, max-age=31536000, immutable",
      "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
      "cross-origin-resource-policy": "cross-origin",
      "x-content-type-options": "nosniff",
      "content-length": String(bytes.length),
    });
    const part = await fetchImage(media!.large, { range: "bytes=4-9" });
    expect(part.answer.status).toBe(206);
    expect(part.answer.headers.get("content-range")).toBe(`bytes 4-9/${bytes.length}`);
    expect(part.bytes).toEqual(bytes.subarray(4, 10));
    expect((await fetchImage(media!.large, { range: "bytes=999999-" })).answer.status).toBe(416);
    const etag = answer.headers.get("etag")!;
    expect((await fetchImage(media!.large, { "if-none-match": etag })).answer.status).toBe(304);
    const head = await fetch(media!.large, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(bytes.length));
  });

  const HTML = "<html><script>alert(1)</script></html>";
  const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
  it.each([
    ["empty", () => "", "The file is empty."],
    ["HTML", () => HTML, "It is not a PNG"],
    ["SVG", () => SVG, "It is not a PNG"],
    ["a text", () => "#EXTM3U\nfile:///etc/passwd\n", "It is not a PNG"],
    [
      "cut off",
      async () => (await noise(300, 200).png().toBuffer()).subarray(0, 40_000),
      "cannot be read as PNG",
    ],
    ["only a beginning", () => Buffer.from("89504e470d0a1a0a", "hex"), "cannot be read as PNG"],
    ["a broken JPEG", () => Buffer.from("ffd8ffe000104a46494600", "hex"), "cannot be read as JPEG"],
    ["a GIF of text", () => `GIF89a${HTML}`, "cannot be read as GIF"],
    ["a WebP of text", () => `RIFF\x40\0\0\0WEBP${HTML}`, "cannot be read as WEBP"],
    ["a decompression bomb", hugePng, "more than 100 million pixels"],
  ])("that is %s is dropped with a reason, and the grade still counts", async (_, make, reason) => {
    const shown = await show("plot.png", await make());
    expect(shown).toMatchObject({ state: "graded", score: 1, media: null });
    expect(shown.media_dropped).toContain(reason);
    expect(shown.media_dropped).not.toContain(files);
  });

  it("that does not exist is dropped by the grader, with a reason", async () => {
    const graded = await stage.submit({ media: { name: "../../etc/passwd" } });
    expect(graded).toMatchObject({ state: "graded", score: 1, media: null });
    expect(graded.media_dropped).toContain("it is outside output_dir");
  });

  it("is the only part of the store that is served", async () => {
    const graded = await stage.submit({ artifacts: [{ name: "secret", text: "secret" }] });
    const row = await stage.records.db
      .selectFrom("submissions")
      .select("artifacts")
      .where("id", "=", graded.id)
      .executeTakeFirstOrThrow();
    const [{ key }] = JSON.parse(row.artifacts!);
    for (const at of [
      key,
      "instance.json",
      `image/large-${"0".repeat(32)}.png`,
      "../secret",
      "%2e%2e/secret",
    ]) {
      const answer = await fetch(`${stage.broker.url}/media/${at}`);
      expect(answer.status).toBe(404);
    }
  });

  it("is not made for a dry run, whose score it would reveal", async () => {
    const copy = await write("dry.png", await noise(30, 20).png().toBuffer());
    const graded = await stage.submit(
      { media: { copy, name: "dry.png" }, artifacts: [{ name: "a", text: "a" }] },
      { dry_run: true },
    );
    expect(graded).toMatchObject({ state: "graded", score: null, media: null, artifacts: [] });
    const work = await stage.records.db
      .selectFrom("media_work")
      .selectAll()
      .where("submission", "=", graded.id)
      .execute();
    expect(work).toEqual([]);
  });
});
