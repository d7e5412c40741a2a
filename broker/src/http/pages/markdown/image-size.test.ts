import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { readImageSize } from "./image-size.ts";

const image = sharp({ create: { width: 57, height: 31, channels: 3, background: "#c60" } });

describe("the size of an image", () => {
  it.each(["png", "jpeg", "gif", "webp"] as const)("is read from a %s", async (format) => {
    expect(readImageSize(await image.toFormat(format).toBuffer())).toEqual({ width: 57, height: 31 });
  });

  it("is read from a WebP without losses, and one with metadata", async () => {
    const size = { width: 57, height: 31 };
    expect(readImageSize(await image.webp({ lossless: true }).toBuffer())).toEqual(size);
    expect(
      readImageSize(
        await image
          .webp()
          .withExif({ IFD0: { Artist: "x" } })
          .toBuffer(),
      ),
    ).toEqual(size);
  });

  it("is unknown of files that end early, and of anything else", async () => {
    const jpeg = await image.jpeg().toBuffer();
    for (const bytes of [jpeg.subarray(0, 20), Buffer.from("\x89PNG"), Buffer.from("text"), Buffer.alloc(0)])
      expect(readImageSize(bytes)).toBeNull();
  });
});
