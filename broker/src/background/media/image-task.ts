/** What is asked of the process that handles pictures, and what it answers. */

export interface Box {
  width: number;
  height: number;
}
export interface Place {
  path: string;
  /** The picture is made to fit into it, and never made larger than it is. */
  box: Box;
}

export type ImageFormat = "png" | "jpeg" | "gif" | "webp" | "avif";

export type ImageTask =
  | {
      make: "picture";
      input: string;
      /** What its bytes say it is; read as anything else it is broken. */
      format: ImageFormat;
      large: Place | null;
      thumbnail: Place | null;
      /** Over all frames. */
      mostPixels: number;
    }
  | { make: "placeholder"; shape: "film" | "sound"; thumbnail: Place };

export type ImageAnswer =
  | { ok: true; format: "png" | "jpeg" | "gif" | "webp" | null }
  | { ok: false; why: "broken" | "pixels"; detail: string };
