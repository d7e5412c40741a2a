const MEBIBYTE = 1024 * 1024;

/** Limits of media, and the sizes that they are scaled to. docs/media-and-models.md states the same. */
export const MEDIA_LIMITS = {
  /** Maximum file size, in bytes. */
  bytes: { image: 64 * MEBIBYTE, video: 512 * MEBIBYTE, audio: 256 * MEBIBYTE },
  /** Of an image, in all its frames together. */
  imagePixels: 100_000_000,
  /** Of one frame of a video: 4K. */
  videoPixels: 4096 * 2304,
  /**
   * The original pages show 800 x 600 and 100 x 75; these sizes serve screens with at least twice the pixels.
   */
  large: { width: 1600, height: 1200 },
  thumbnail: { width: 268, height: 200 },
  /** Of a profile. */
  picture: { width: 256, height: 256 },
  video: { width: 1280, height: 720 },
  previewSeconds: 4,
  /** Of a process that handles media. */
  memory: 768 * MEBIBYTE,
  imageMs: 60_000,
  probeMs: 60_000,
  videoMs: 240_000,
} as const;
