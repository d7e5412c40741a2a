import { z } from "zod";

const MEBIBYTE = 1024 * 1024;
/** S3 stores refuse smaller parts, except for the last one. */
const MIN_PART = 5 * MEBIBYTE;
/**
 * Small enough to repeat after a broken connection, large enough for few requests, each of which costs a
 * store several syncs.
 */
const SMALL_PART = 8 * MEBIBYTE;
const LARGE_PART = 32 * MEBIBYTE;
/** Two for each that is sent at once. */
const USUAL_COUNT = 8;
/** S3 stores refuse more parts in one upload. */
export const MAX_PARTS = 10_000;

/** Digests of a file's parts, in order. Each part has `size` bytes, the last one the remainder. */
export const partDigestsSchema = z.object({
  size: z.number().int().min(MIN_PART),
  md5: z
    .array(z.string().regex(/^[0-9a-f]{32}$/, "32 lowercase hexadecimal digits"))
    .min(1)
    .max(MAX_PARTS),
});
export type PartDigests = z.infer<typeof partDigestsSchema>;

/** One part of a file. `number` counts from 1. */
export interface FilePart {
  number: number;
  offset: number;
  size: number;
  md5: string;
}

/** Returns the part size for a file of `size` bytes. */
export function partSizeFor(size: number): number {
  const usual = Math.min(Math.max(size / USUAL_COUNT, SMALL_PART), LARGE_PART);
  return Math.ceil(Math.max(usual, size / MAX_PARTS) / MEBIBYTE) * MEBIBYTE;
}

/** Returns the number of parts of `partSize` bytes. */
export const partCount = (size: number, partSize: number): number => Math.max(1, Math.ceil(size / partSize));

/** Returns the parts of a file of `size` bytes. */
export function filePartsOf(size: number, digests: PartDigests): FilePart[] {
  return digests.md5.map((md5, index) => {
    const offset = index * digests.size;
    return { number: index + 1, offset, size: Math.min(digests.size, size - offset), md5 };
  });
}
