import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { CrowdaiError } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { ObjectStore, StoredObject } from "@crowdai/shared/objects";

/** An address must be used within this time; the transfer itself may take longer. */
const ADDRESS_SECONDS = 900;
/** How long an upload is stored before it is submitted. */
const STORED_MS = 24 * 3600 * 1000;
/** Maximum stored uploads of a participant; a further one replaces the oldest. */
const MAX_STORED = 20;
/** How many times the maximum size of a too large body is read and dropped. */
const READ_ON = 10;

const FILE_KEY = /^submissions\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export interface LegacyUploads {
  /** Returns the name of a future upload, and the address that accepts it with one PUT. */
  presign(participant: number): { s3_key: string; presigned_url: string };
  /** Accepts the PUT to such an address. Throws signature_invalid, file_too_large, object_exists. */
  take(address: URL, body: AsyncIterable<Uint8Array> | null): Promise<StoredObject>;
  /** Finds an upload of this participant by name. Throws upload_missing and file_empty. */
  find(participant: number, fileKey: string): Promise<StoredObject & { key: string }>;
  /** Removes uploads that were not submitted within a day. */
  sweep(): Promise<void>;
}

/**
 * Uploads of clients that ask for an address before they announce a submission: length and digest are unknown
 * until the bytes have arrived. They are stored under keys of their participant, so that no one else can
 * submit them.
 */
export function createUploads(options: {
  objects: ObjectStore;
  secret: string;
  /** Where `path` is served, without a trailing slash. */
  baseUrl: () => string;
  path: string;
  /** The largest file that any challenge accepts. */
  maxBytes: () => number;
  now: () => number;
}): LegacyUploads {
  const { objects, secret, baseUrl, path, maxBytes, now } = options;
  const seen = new Map<string, number>();
  const folderOf = (participant: string) => `incoming/${participant}/`;
  const sign = (participant: string, id: string, expires: string) =>
    createHmac("sha256", secret)
      .update(JSON.stringify([participant, id, expires]))
      .digest("base64url");

  function allowed(address: URL): string {
    const get = (name: string) => address.searchParams.get(name) ?? "";
    const [participant, id, expires] = [
      get("participant"),
      address.pathname.split("/").at(-1)!,
      get("expires"),
    ];
    const given = Buffer.from(get("signature"));
    const wanted = Buffer.from(sign(participant, id, expires));
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      throw new CrowdaiError("signature_invalid");
    if (!(Number(expires) * 1000 > now()))
      throw new CrowdaiError("signature_invalid", "The signed address has expired.");
    return `${folderOf(participant)}${id}`;
  }

  async function evictOldest(key: string): Promise<void> {
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    const others = [...seen].filter(([one]) => one.startsWith(folder)).sort(([, a], [, b]) => a - b);
    for (const [oldest] of others.slice(0, Math.max(0, others.length + 1 - MAX_STORED))) await forget(oldest);
    seen.set(key, now());
  }

  async function forget(key: string): Promise<void> {
    await objects.remove(key);
    seen.delete(key);
  }

  return {
    presign(participant) {
      const id = randomUUID();
      const expires = String(Math.floor(now() / 1000) + ADDRESS_SECONDS);
      const url = new URL(`${baseUrl()}${path}/${id}`);
      url.searchParams.set("participant", String(participant));
      url.searchParams.set("expires", expires);
      url.searchParams.set("signature", sign(String(participant), id, expires));
      return { s3_key: `submissions/${id}`, presigned_url: url.href };
    },

    async take(address, body) {
      const key = allowed(address);
      const most = maxBytes();
      // Checked before the bytes arrive; the store checks again afterwards, so that two at once cannot both
      // succeed.
      if (await objects.stat(key)) throw new CrowdaiError("object_exists");
      await evictOldest(key);
      return markedStep("upload.older-client", () =>
        objects.put(key, body ? atMost(most, body) : new Uint8Array()),
      );
    },

    async find(participant, fileKey) {
      const id = FILE_KEY.exec(fileKey)?.[1];
      const key = `${folderOf(String(participant))}${id}`;
      const found = id ? await objects.stat(key) : null;
      if (!found)
        throw new CrowdaiError(
          "upload_missing",
          `You have no upload with this file_key. A file may have ${maxBytes()} bytes and is stored for a day.`,
        );
      if (found.size === 0) throw new CrowdaiError("file_empty", "The uploaded file is empty.");
      return { ...found, key };
    },

    async sweep() {
      const there = new Set<string>();
      for await (const key of objects.list("incoming/")) there.add(key);
      for (const key of seen.keys()) if (!there.has(key) && isOld(key)) seen.delete(key);
      for (const key of there)
        if (!seen.has(key)) seen.set(key, now());
        else if (isOld(key)) await forget(key);
    },
  };

  function isOld(key: string): boolean {
    return now() - (seen.get(key) ?? now()) > STORED_MS;
  }
}

async function* atMost(most: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size <= most) yield chunk;
    // Reads on for a while: the client continues after any response, but not after a broken pipe.
    else if (size > most * READ_ON) break;
  }
  if (size > most) throw tooLarge(most);
}

const tooLarge = (most: number) =>
  new CrowdaiError("file_too_large", `A file may have at most ${most} bytes.`, {
    details: { max_bytes: most },
  });
