import type { Media } from "@crowdai/shared";
import { mediaTypeOf } from "@crowdai/shared/media-types";
import { OBJECT_KEY } from "@crowdai/shared/objects";
import type { SubmissionRow } from "../../records/tables.ts";

export type MediaKind = "image" | "video" | "audio";
export type MediaRole = "large" | "thumb" | "preview";

/** Columns of a submission that locate its media. */
export type MediaColumns = Pick<
  SubmissionRow,
  "media_large" | "media_thumbnail" | "media_content_type" | "media_preview"
>;

export const NO_MEDIA = {
  media_large: null,
  media_thumbnail: null,
  media_content_type: null,
  media_preview: null,
} as const;

const OURS = /^(?:image|video|audio)\/(?:large|thumb|preview)-[0-9a-f]{32}\.([a-z0-9]{3,4})$/;

/**
 * Returns the key of one media object. `name` is 32 random hexadecimal digits, so that it cannot be guessed.
 */
export function mediaKey(kind: MediaKind, role: MediaRole, name: string, extension: string): string {
  return `${kind}/${role}-${name}.${extension}`;
}

/** Returns every key prefix under which an attempt with this name may have left an object. */
export function keyPrefixes(name: string): string[] {
  return (["image", "video", "audio"] as const).flatMap((kind) =>
    (["large", "thumb", "preview"] as const).map((role) => `${kind}/${role}-${name}.`),
  );
}

/** Returns the type of an object that the broker made itself; null for any other object. */
export function typeOfKey(key: string): string | null {
  return mediaTypeOf(OURS.exec(key)?.[1] ?? "") ?? null;
}

/** Whether keys are ids of videos at YouTube: the second part of the type decides, as in the original. */
export const isYoutube = (type: string): boolean => /\/youtube$/i.test(type);

/** Keys of the broker's private objects. */
const PRIVATE = /^(?:(?:submissions|incoming|bundles|code|profiles)\/|instance\.json$)/;

/** Returns whether a key names an object that is never served as media. */
export const isPrivateKey = (key: string): boolean => PRIVATE.test(key);

/** Returns the media that a job factory names in its result; null unless it names all three parts. */
export function mediaOfResult(data: unknown): Partial<MediaColumns> | null {
  const { media_large, media_thumbnail, media_content_type } = (data ?? {}) as Record<string, unknown>;
  if (
    ![media_large, media_thumbnail, media_content_type].every(
      (part) => typeof part === "string" && part !== "",
    )
  )
    return null;
  const media = { media_large, media_thumbnail, media_content_type } as Record<string, string>;
  if (isPrivateKey(media.media_large!) || isPrivateKey(media.media_thumbnail!)) return null;
  return media;
}

const VIDEO_ID = /^[A-Za-z0-9_-]{5,20}$/;

/**
 * Returns the URLs of a submission's media; null when it has none. Anyone with a URL can open it: show them
 * only to viewers who may see the submission or its leaderboard.
 */
export function mediaUrls(row: MediaColumns, baseUrl: string): Media | null {
  const { media_large: large, media_thumbnail: thumbnail, media_content_type: type, media_preview } = row;
  if (large === null || thumbnail === null || type === null) return null;
  if (isYoutube(type)) {
    if (!VIDEO_ID.test(large) || !VIDEO_ID.test(thumbnail)) return null;
    return {
      large: `https://www.youtube-nocookie.com/embed/${large}`,
      thumbnail: `https://i.ytimg.com/vi/${thumbnail}/mqdefault.jpg`,
      type,
      preview: null,
    };
  }
  if (!OBJECT_KEY.test(large) || !OBJECT_KEY.test(thumbnail)) return null;
  const at = (key: string) => `${baseUrl}/media/${key}`;
  return { large: at(large), thumbnail: at(thumbnail), type, preview: media_preview && at(media_preview) };
}
