const MEBIBYTE = 1024 * 1024;

/** What media may be, and what they are made to fit into. docs/media-and-models.md tells the same. */
export const MEDIA_LIMITS = {
  /** Largest file, in bytes. */
  bytes: { image: 64 * MEBIBYTE, video: 512 * MEBIBYTE, audio: 256 * MEBIBYTE },
  /** Of a picture, over all its frames. */
  picturePixels: 100_000_000,
  /** Of one frame of a film: 4K. */
  filmPixels: 4096 * 2304,
  /** The original pages' 800 x 600 and 100 x 75, for screens with twice the pixels and more. */
  large: { width: 1600, height: 1200 },
  thumbnail: { width: 268, height: 200 },
  film: { width: 1280, height: 720 },
  previewSeconds: 4,
  /** Of a process that handles them. */
  memory: 768 * MEBIBYTE,
  pictureMs: 60_000,
  probeMs: 60_000,
  filmMs: 240_000,
} as const;
