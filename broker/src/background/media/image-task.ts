/** The tasks of the image process, and its answers. */

export interface Box {
  width: number;
  height: number;
}
export interface ImageTarget {
  path: string;
  /** The image is scaled down to fit; it is never enlarged. */
  box: Box;
}

export type ImageFormat = "png" | "jpeg" | "gif" | "webp" | "avif";

export type ImageTask =
  | {
      make: "image";
      input: string;
      /** The format that its bytes indicate; an image that reads as another one is corrupt. */
      format: ImageFormat;
      large: ImageTarget | null;
      thumbnail: ImageTarget | null;
      /** In all frames together. */
      maxPixels: number;
    }
  | { make: "placeholder"; shape: "video" | "audio"; thumbnail: ImageTarget };

export type ImageAnswer =
  | { ok: true; format: "png" | "jpeg" | "gif" | "webp" | null }
  | { ok: false; why: "broken" | "pixels"; detail: string };
