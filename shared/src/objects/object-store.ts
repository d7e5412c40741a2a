import type { Upload } from "../protocol/upload.ts";
import type { PartDigests } from "../protocol/upload-parts.ts";

export interface StoredObject {
  size: number;
  sha256: string;
}

/** An object that a client will upload. `parts` must be the same in every call for the same upload. */
export interface AnnouncedObject extends StoredObject {
  parts?: PartDigests | undefined;
}

/**
 * Stores objects by key. The broker chooses the keys (`submissions/<challenge>/<id>/input`, never a submitted
 * name), which match OBJECT_KEY. A complete object is never overwritten. Objects of other programs in the
 * same bucket can be read.
 *
 * Methods throw store_unreachable when the store is unreachable or full, or fails.
 */
export interface ObjectStore {
  /** For the start message, without secrets. */
  readonly name: string;

  /**
   * Writes an object. Repeating it with equal bytes is harmless; with different bytes it throws
   * object_exists. The object becomes visible when all bytes are durable, and a failed body leaves nothing
   * behind. With `expected`, a different size or digest throws digest_mismatch (at the first byte too many),
   * and nothing is written.
   */
  put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { type?: string; expected?: StoredObject },
  ): Promise<StoredObject>;

  /** Reads the object, or its bytes from `start` to `end` inclusive. Throws object_missing. */
  get(key: string, range?: { start: number; end: number }): Promise<AsyncIterable<Uint8Array>>;

  /** Returns null when there is no complete object under the key. */
  stat(key: string): Promise<StoredObject | null>;

  /** Removes the object and its unfinished uploads. Harmless when there are none. */
  remove(key: string): Promise<void>;

  /** Yields the keys that start with `prefix`, in any order. */
  list(prefix: string): AsyncIterable<string>;

  /**
   * Returns signed URLs of the store for the parts that have not arrived; none when all have. Each accepts a
   * PUT of one part and binds method, key, length, digest and expiry. No URL can write to a complete object.
   * Harmless to repeat, also in several brokers at once. Throws object_exists when the key has other bytes.
   * `isNew` says that nothing was planned under the key before, so that the store need not look for parts.
   */
  planUpload(key: string, wanted: AnnouncedObject, options?: { isNew?: boolean }): Promise<Upload>;

  /**
   * Joins the arrived parts into the object, and verifies that it consists of exactly the announced bytes.
   * Harmless to repeat. Throws upload_missing while bytes are missing, and digest_mismatch (after removing
   * them) when they differ.
   */
  finishUpload(key: string, wanted: AnnouncedObject): Promise<void>;

  /** Removes unfinished uploads that began before `before` (milliseconds). Returns their number. */
  abandonUploads(before: number): Promise<number>;

  /** Returns a signed URL that accepts GET for `seconds`. `name` is the suggested file name. */
  signGet(key: string, options: { seconds: number; name?: string; type?: string }): Promise<string>;

  close(): Promise<void>;
}

/** The form of keys. Path segments have 1 to 200 characters, and are neither "." nor "..". */
export const OBJECT_KEY =
  /^(?=.{1,512}$)(?!.*\.\.)(?!.*\/\.(?:\/|$))[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?:\/[A-Za-z0-9._-]{1,200})*$/;
