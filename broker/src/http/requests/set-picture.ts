import { randomBytes } from "node:crypto";
import { CrowdaiError, MAX_PICTURE_BYTES } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { RateLimiterAbstract } from "rate-limiter-flexible";
import type { CreateRateLimiter } from "../../base/rate-limits.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { announcePicture, replacePicture } from "../../domain/profiles/change-profile.ts";
import { removeOldPictures } from "../../domain/profiles/remove-old-pictures.ts";
import type { HttpNeeds } from "./http-services.ts";

/** New pictures of a participant. */
const PICTURES = { points: 20, seconds: 3600 };

const limiters = new WeakMap<CreateRateLimiter, RateLimiterAbstract>();

export type PictureNeeds = HttpNeeds<
  "records" | "objects" | "clock" | "pictures" | "createRateLimiter" | "log"
>;

export const pictureTooLarge = () =>
  new CrowdaiError("message_too_large", `A picture can have at most ${MAX_PICTURE_BYTES / 1024 / 1024} MB.`);

/**
 * Makes the file the picture of a participant's profile. Throws usage when it is not an image that can be
 * shown.
 */
export async function setPicture(context: PictureNeeds, caller: Caller, file: Uint8Array): Promise<void> {
  const { records, objects, clock, pictures } = context;
  if (file.length > MAX_PICTURE_BYTES) throw pictureTooLarge();
  await countPicture(context.createRateLimiter, caller);
  const made = await pictures.make(file);
  // Its name cannot be guessed, and never names another picture.
  const key = `profiles/${randomBytes(16).toString("hex")}.webp`;
  await announcePicture(records.db, key, clock());
  await markedStep("upload.picture", () => objects.put(key, made, { type: "image/webp" }));
  if (!(await replacePicture(records, caller.id, key, clock()))) {
    await objects.remove(key);
    throw new CrowdaiError("broker_busy", "Storing the picture took too long. Nothing was changed.");
  }
  await sweep(context);
}

/** Removes the picture of a participant's profile. */
export async function removePicture(context: PictureNeeds, caller: Caller): Promise<void> {
  await replacePicture(context.records, caller.id, null, context.clock());
  await sweep(context);
}

/** Removes earlier pictures now. The scheduled job tries again what fails here. */
export async function sweep(context: PictureNeeds): Promise<void> {
  await removeOldPictures(context).catch((error) =>
    context.log.warn(
      { event: "picture_removal_failed", err: error },
      "removing old pictures failed, retrying later",
    ),
  );
}

async function countPicture(createRateLimiter: CreateRateLimiter, { id }: Caller): Promise<void> {
  const limiter = limiters.get(createRateLimiter) ?? createRateLimiter("pictures", PICTURES);
  limiters.set(createRateLimiter, limiter);
  const admitted = await limiter.consume(String(id)).catch((refused: unknown) => {
    if (refused instanceof Error) throw refused;
    return null;
  });
  if (!admitted) throw new CrowdaiError("too_many_requests", "You have changed your picture too often.");
}
