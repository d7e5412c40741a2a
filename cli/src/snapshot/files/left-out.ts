import type { BytePath } from "../../git/byte-path.ts";

/** A path that is not part of the snapshot, and why. */
export interface LeftOut {
  path: BytePath;
  reason: string;
}
