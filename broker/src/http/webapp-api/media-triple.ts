import { lineProblem } from "@crowdai/shared";
import { OBJECT_KEY, type ObjectStore } from "@crowdai/shared/objects";
import { isPrivateKey } from "../../domain/media/media-keys.ts";
import type { Parameters } from "./parameters.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";

export interface MediaTriple {
  media_large: string;
  media_thumbnail: string;
  media_content_type: string;
}

/**
 * Reads the three media parameters; null without any. Throws a Refusal when only some are sent, and for a
 * private key.
 */
export function readMedia(parameters: Parameters): MediaTriple | null {
  const media_large = parameters.text("media_large");
  const media_thumbnail = parameters.text("media_thumbnail");
  const media_content_type = parameters.text("media_content_type");
  if (media_large === null && media_thumbnail === null && media_content_type === null) return null;
  if (media_large === null || media_thumbnail === null || media_content_type === null)
    throw new Refusal(texts.mediaIncomplete);
  const triple = { media_large, media_thumbnail, media_content_type };
  if (Object.values(triple).some((text) => lineProblem(text) !== null))
    throw new Refusal(texts.objectMissing);
  // The original made any object public that a key named, even a participant's predictions.
  if (isPrivateKey(media_large) || isPrivateKey(media_thumbnail)) throw new Refusal(texts.objectMissing);
  return triple;
}

/** Throws a Refusal unless the objects exist; a video on YouTube is not checked. */
export async function requireObjects(objects: ObjectStore, media: MediaTriple): Promise<void> {
  if (isElsewhere(media)) return;
  for (const key of [media.media_large, media.media_thumbnail])
    if (!OBJECT_KEY.test(key) || !(await objects.stat(key))) throw new Refusal(texts.objectMissing);
}

const isElsewhere = ({ media_content_type }: MediaTriple) => media_content_type === "video/youtube";
