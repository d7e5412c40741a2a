import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onPath } from "../../../scripts/lib/find-program.ts";
import { missing } from "../../../test/required-programs.ts";
import { MEDIA_TIMEOUT, type Stage, startStage } from "./media-broker.ts";

const files = mkdtempSync(join(tmpdir(), "crowdai-videos-"));
afterAll(() => rmSync(files, { recursive: true, force: true }));

function ffmpeg(name: string, ...args: string[]): string {
  const path = join(files, name);
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args, path]);
  return path;
}
const PICTURE = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=10:duration=6"];
const TONE = ["-f", "lavfi", "-i", "sine=frequency=440:duration=6"];

/** Fetched before ffprobe runs, because that blocks this process and the broker in it. */
async function facts(url: string) {
  const path = join(files, "fetched");
  writeFileSync(path, Buffer.from(await (await fetch(url)).arrayBuffer()));
  const asked = "stream=codec_type,codec_name,width,height:format=duration,format_name:format_tags";
  const out = execFileSync("ffprobe", ["-v", "error", "-show_entries", asked, "-of", "json", path]);
  const { streams, format } = JSON.parse(out.toString());
  return { codecs: streams.map((s: { codec_name: string }) => s.codec_name), streams, format };
}

describe.skipIf(missing("ffmpeg", "ffprobe"))("with ffmpeg", MEDIA_TIMEOUT, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage?.close());

  async function show(path: string, name = path.split("/").at(-1) as string) {
    const graded = await stage.submit({ media: { copy: path, name } });
    expect(graded).toMatchObject({ state: "graded", score: 1 });
    return stage.settled(graded.id);
  }
  const bytesAt = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

  it("a video that browsers play keeps its streams without its metadata, and gets a poster and a preview", async () => {
    const video = ffmpeg(
      "video.mp4",
      ...PICTURE,
      ...TONE,
      "-c:v",
      "libx264",
      "-pix_fmt",
      "yuv420p",
      "-c:a",
      "aac",
      "-metadata",
      "title=private title",
    );
    const { media, media_dropped } = await show(video, "video.bin");
    expect(media_dropped).toBeNull();
    expect(media?.type).toBe("video/mp4");
    const large = await facts(media!.large);
    expect(large.codecs).toEqual(["h264", "aac"]);
    expect((await bytesAt(media!.large)).includes("private title")).toBe(false);
    const poster = await sharp(await bytesAt(media!.thumbnail)).metadata();
    expect(poster).toMatchObject({ format: "webp", width: 268 });
    const preview = await facts(media!.preview!);
    expect(preview.codecs).toEqual(["h264"]);
    expect(Number(preview.format.duration)).toBeLessThan(4.5);
    expect(preview.streams[0].width).toBeLessThanOrEqual(268);
    const part = await fetch(media!.large, { headers: { range: "bytes=0-99" } });
    expect([part.status, part.headers.get("content-type")]).toEqual([206, "video/mp4"]);
  });

  it("a video that browsers cannot play is converted to one that they can", async () => {
    const video = ffmpeg(
      "old.mov",
      "-f",
      "lavfi",
      "-i",
      "testsrc=size=1601x901:rate=5:duration=1",
      "-c:v",
      "mpeg4",
      "-pix_fmt",
      "yuv420p",
    );
    const { media } = await show(video);
    expect(media?.type).toBe("video/mp4");
    const large = await facts(media!.large);
    expect(large.codecs).toEqual(["h264"]);
    expect(large.streams[0].width).toBeLessThanOrEqual(1280);
  });

  it("a WebM stays a WebM", async () => {
    const video = ffmpeg(
      "video.webm",
      "-f",
      "lavfi",
      "-i",
      "testsrc=size=160x120:rate=5:duration=1",
      "-c:v",
      "libvpx",
      "-pix_fmt",
      "yuv420p",
    );
    const { media } = await show(video);
    expect(media).toMatchObject({
      type: "video/webm",
      large: expect.stringMatching(/\/media\/video\/large-.*\.webm$/),
    });
  });

  it.each([
    ["mp3", "audio/mpeg", ["-c:a", "libmp3lame"]],
    ["wav", "audio/wav", []],
    ["flac", "audio/flac", []],
    ["ogg", "audio/ogg", ["-c:a", "libvorbis"]],
    ["m4a", "audio/mp4", ["-c:a", "aac"]],
  ])("an audio file in %s gets its waveform as an image", async (extension, type, codec) => {
    const sound = ffmpeg(`sound.${extension}`, ...TONE, ...codec, "-metadata", "title=private title");
    const { media } = await show(sound);
    expect(media).toMatchObject({
      type,
      preview: null,
      large: expect.stringContaining("/media/audio/large-"),
    });
    expect((await bytesAt(media!.large)).includes("private title")).toBe(false);
    const wave = sharp(await bytesAt(media!.thumbnail));
    expect(await wave.metadata()).toMatchObject({ format: "webp", width: 268, height: 200 });
    expect((await wave.stats()).entropy).toBeGreaterThan(0.1);
  });

  it("an MP4 without video is audio", async () => {
    const sound = ffmpeg("sound.mp4", ...TONE, "-c:a", "aac");
    expect((await show(sound)).media).toMatchObject({ type: "audio/mp4" });
  });

  const secret = join(files, "secret.txt");
  function hostile(name: string, make: (path: string) => void): string {
    const path = join(files, name);
    make(path);
    return path;
  }
  it.each([
    ["cut off before its index", () => cutOff(), "cannot be read as MP4"],
    [
      "only a beginning",
      () => hostile("begin.mp4", (p) => writeFileSync(p, "\0\0\0\x18ftypisom\0\0\0\0isomiso2")),
      "cannot be read as MP4",
    ],
    [
      "a list of files to play",
      () => hostile("list.mp4", (p) => writeFileSync(p, `ffconcat version 1.0\nfile ${secret}\n`)),
      "It is not a",
    ],
    [
      "a playlist",
      () =>
        hostile("list.m3u8", (p) =>
          writeFileSync(p, `#EXTM3U\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`),
        ),
      "It is not a",
    ],
    [
      "a playlist after the first bytes of an audio file",
      () => hostile("list.mp3", (p) => writeFileSync(p, `ID3\x04\0\0\0\0\0\0#EXTM3U\nfile://${secret}\n`)),
      "cannot be read as MP3",
    ],
    [
      "a video of too many pixels",
      () =>
        ffmpeg(
          "wide.mov",
          "-f",
          "lavfi",
          "-i",
          "color=size=8192x4096:rate=1:duration=1",
          "-c:v",
          "mjpeg",
          "-pix_fmt",
          "yuvj420p",
          "-q:v",
          "31",
        ),
      "more pixels than a video",
    ],
    [
      "another format's bytes inside",
      () =>
        hostile("avi.mp4", (p) =>
          writeFileSync(p, Buffer.concat([Buffer.from("\0\0\0\x08ftypisom"), Buffer.alloc(4000, "RIFF")])),
        ),
      "cannot be read as MP4",
    ],
  ])("%s is dropped with a reason, and the grade still counts", async (_, make, reason) => {
    writeFileSync(secret, "the secret of this machine\n");
    const shown = await show(make());
    expect(shown).toMatchObject({ state: "graded", score: 1, media: null });
    expect(shown.media_dropped).toContain(reason);
    expect(shown.media_dropped).not.toContain(files);
  });

  function cutOff(): string {
    const path = ffmpeg("cut.mp4", ...PICTURE, "-c:v", "libx264", "-pix_fmt", "yuv420p");
    truncateSync(path, 2000);
    return path;
  }
});

describe.skipIf(missing("ffmpeg"))("without ffmpeg", MEDIA_TIMEOUT, () => {
  let stage: Stage;
  const bin = join(files, "bin");
  beforeAll(async () => {
    mkdirSync(bin);
    for (const program of ["prlimit", "setpriv", "true", "python3"]) {
      const found = onPath(program);
      if (found) symlinkSync(found, join(bin, program));
    }
    stage = await startStage({ env: { PATH: bin } });
  });
  afterAll(() => stage?.close());

  it("the start message says so", () => {
    expect(stage.broker.parts.join("\n")).toMatch(
      /media +images by sharp, video and audio stored unprocessed/,
    );
  });

  it.each([
    ["video.mp4", "video/mp4", [...PICTURE, "-c:v", "libx264", "-pix_fmt", "yuv420p"]],
    ["sound.wav", "audio/wav", TONE],
  ])("%s is stored as it is, with a placeholder as its thumbnail", async (name, type, args) => {
    const path = ffmpeg(name, ...args);
    const graded = await stage.submit({ media: { copy: path, name } });
    const { media } = await stage.settled(graded.id);
    expect(media).toMatchObject({ type, preview: null });
    const answer = await fetch(media!.large);
    expect(answer.headers.get("content-type")).toBe(type);
    const sent = Buffer.from(await answer.arrayBuffer());
    expect(sent.equals(readFileSync(path))).toBe(true);
    const picture = sharp(Buffer.from(await (await fetch(media!.thumbnail)).arrayBuffer()));
    expect(await picture.metadata()).toMatchObject({ format: "webp", width: 268, height: 200 });
  });
});
