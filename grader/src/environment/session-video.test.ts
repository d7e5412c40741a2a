import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { temporaryFolder } from "../testing/challenge.ts";
import { createVideo } from "./session-video.ts";

/** Returns three images of one type. */
function images(folder: string, extension: "png" | "jpg"): Buffer[] {
  const source = ["-f", "lavfi", "-i", "testsrc=size=32x24:rate=3:duration=1"];
  execFileSync("ffmpeg", ["-v", "error", ...source, join(folder, `%d.${extension}`)]);
  return [1, 2, 3].map((n) => readFileSync(join(folder, `${n}.${extension}`)));
}

function probe(path: string) {
  const asked = [
    "-count_frames",
    "-show_entries",
    "stream=codec_name,width,height,nb_read_frames:format=duration",
  ];
  return JSON.parse(
    execFileSync("ffprobe", ["-v", "error", ...asked, "-of", "json", path], { encoding: "utf8" }),
  );
}

describe.skipIf(missing("ffmpeg"))("a video of images", () => {
  it.each([
    ["png", "png"],
    ["jpg", "mjpeg"],
  ] as const)(
    "in %s is a video that ffmpeg reads, without those of another size",
    async (extension, codec) => {
      const folder = await temporaryFolder();
      const video = createVideo(join(folder, "video.mkv"), () => 5);
      const [first, ...others] = images(folder, extension);
      video.add(first!);
      video.add(Buffer.concat([first!.subarray(0, 16), Buffer.alloc(30)]));
      for (const image of others) video.add(image);
      const path = video.close()!;
      expect(video.close()).toBeNull();
      const { streams, format } = probe(path);
      expect(streams).toEqual([{ codec_name: codec, width: 32, height: 24, nb_read_frames: "3" }]);
      expect(Number(format.duration)).toBeCloseTo(0.6, 2);
    },
  );

  it("without images makes no file", async () => {
    const video = createVideo(join(await temporaryFolder(), "video.mkv"), () => 5);
    video.add(Buffer.from("no image"));
    expect(video.close()).toBeNull();
  });
});
