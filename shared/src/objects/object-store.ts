import type { Upload } from "../protocol/upload.ts";
import type { PartDigests } from "../protocol/upload-parts.ts";

export interface StoredObject {
  size: number;
  sha256: string;
}

/** An object that a client is to send. `parts` must be the same in every call for the same upload. */
export interface AnnouncedObject extends StoredObject {
  parts?: PartDigests | undefined;
}

/**
 * Objects by key. Keys are made by the broker (`submissions/<challenge>/<id>/input`, never a name from outside) and
 * match OBJECT_KEY. An object, once complete, is never overwritten. A bucket's other objects, under keys that other programs made, can
 * be read.
 *
 * A store that cannot be reached, is full or fails throws store_unreachable.
 */
export interface ObjectStore {
  /** For the start message, without secrets. */
  readonly name: string;

  /**
   * Writes an object. Repeating it with equal bytes is harmless; with other bytes it throws object_exists. Nothing is visible
   * under the key before all bytes are durable, and nothing is left of a body that fails. With `expected`, bytes of another
   * size or digest throw digest_mismatch, a body that is too long as soon as it is, and nothing is written.
   */
  put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { type?: string; expected?: StoredObject },
  ): Promise<StoredObject>;

  /** The object's bytes, from `start` to `end` inclusive when given. Throws object_missing. */
  get(key: string, range?: { start: number; end: number }): Promise<AsyncIterable<Uint8Array>>;

  /** Null when there is no complete object under the key. */
  stat(key: string): Promise<StoredObject | null>;

  /** Removes the object, and whatever of it is arriving; harmless when there is nothing. */
  remove(key: string): Promise<void>;

  /** Keys that begin with `prefix`, in no promised order. */
  list(prefix: string): AsyncIterable<string>;

  /**
   * Signed addresses for parts of an upload that have not arrived, straight to the store; none when all have. Each takes a PUT of
   * one part and binds method, key, length, digest and expiry; no address leads to the object itself once it is complete. Harmless
   * to repeat, by several brokers at once too. Throws object_exists when other bytes are under the key.
   */
  planUpload(key: string, wanted: AnnouncedObject): Promise<Upload>;

  /**
   * Makes the object of the parts that arrived, and proves that it is the announced bytes, all of them and no others. Harmless to
   * repeat. Throws upload_missing while bytes are missing, and digest_mismatch (after removing them) when they are others.
   */
  finishUpload(key: string, wanted: AnnouncedObject): Promise<void>;

  /** Removes what arrived of uploads that began before `before` (milliseconds) and were not finished. Returns how many they were. */
  abandonUploads(before: number): Promise<number>;

  /** A signed address that takes GET for `seconds`. `name` is offered as the file name to save under. */
  signGet(key: string, options: { seconds: number; name?: string; type?: string }): Promise<string>;

  close(): Promise<void>;
}

/** What a key looks like. Its parts between slashes are neither empty nor dots alone, and at most 200 characters long. */
export const OBJECT_KEY =
  /^(?=.{1,512}$)(?!.*\.\.)(?!.*\/\.(?:\/|$))[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?:\/[A-Za-z0-9._-]{1,200})*$/;
