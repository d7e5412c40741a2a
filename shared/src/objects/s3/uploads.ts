import { CrowdaiError } from "../../protocol/errors.ts";
import type { Upload } from "../../protocol/upload.ts";
import { type FilePart, filePartsOf } from "../../protocol/upload-parts.ts";
import type { AnnouncedObject, ObjectStore, StoredObject } from "../object-store.ts";
import { OBJECT_KEY } from "../object-store.ts";
import { type ArrivedPart, etagOfParts, type ListedPart, type Multipart } from "./multipart.ts";
import type { Signing } from "./signing.ts";

/** How many uploads that this process began it remembers, so that it need not look for them. */
const MAX_REMEMBERED = 10_000;

/** The most parts planned at once, so that the plan fits into one message. */
const PLANNED_PARTS = 256;

export interface UploadsOptions {
  multipart: Multipart;
  signing: Signing;
  stat(key: string): Promise<(StoredObject & { etag: string }) | null>;
  /** Reads the object back and returns its SHA-256. */
  digest(key: string): Promise<string>;
  /** Removes the object and all its uploads. */
  remove(key: string): Promise<void>;
  /** How long a URL is valid. */
  seconds: number;
}

/**
 * Manages the uploads of clients. Even a small one is a multipart upload: its URLs write parts, and only the
 * broker joins them into an object. So no URL of a client can write to an existing object.
 *
 * All state of an upload is in the store. Two brokers that plan the same upload at once may start it twice;
 * the one with more arrived parts is continued.
 */
export function createUploads(
  options: UploadsOptions,
): Pick<ObjectStore, "planUpload" | "finishUpload" | "abandonUploads"> {
  const { multipart, signing, stat, digest, remove, seconds } = options;

  /** The uploads that this process began, by key. */
  const begun = new Map<string, { upload: string; sha256: string }>();

  async function begin(key: string, sha256: string): Promise<string> {
    const upload = await multipart.begin(key, sha256);
    begun.set(key, { upload, sha256 });
    const [oldest] = begun.keys();
    if (begun.size > MAX_REMEMBERED && oldest !== undefined) begun.delete(oldest);
    return upload;
  }

  /**
   * Joins the parts of an upload that this process began. Returns whether the store answered with the digest
   * of exactly these parts, so that nothing is left to verify.
   */
  async function completeBegun(key: string, { size, sha256, parts }: AnnouncedObject): Promise<boolean> {
    const known = begun.get(key);
    begun.delete(key);
    if (!known || known.sha256 !== sha256 || !parts) return false;
    const listed = filePartsOf(size, parts);
    const joined = await multipart.complete(key, known.upload, listed);
    return joined && joined.etag === etagOfParts(listed);
  }

  interface Arriving {
    upload: string;
    arrived: ArrivedPart[];
    missing: PlannedPart[];
  }

  async function arriving(key: string, parts: readonly PlannedPart[]): Promise<Arriving | null> {
    let best: Arriving | null = null;
    for (const upload of await multipart.open(key)) {
      const arrived = await multipart.arrived(key, upload);
      if (!arrived) continue;
      const missing = parts.filter((part) => !arrived.some((one) => isPart(one, part)));
      if (!best || missing.length < best.missing.length) best = { upload, arrived, missing };
    }
    return best;
  }

  /**
   * Tries to join the parts without listing them first, because naming their digests requires exactly these
   * parts.
   */
  async function complete(key: string, wanted: AnnouncedObject): Promise<boolean> {
    const uploads = await multipart.open(key);
    for (const upload of uploads) {
      const parts = wanted.parts
        ? filePartsOf(wanted.size, wanted.parts)
        : await wholeIn(multipart, key, upload, wanted.size);
      if (!parts || !(await multipart.complete(key, upload, parts))) continue;
      for (const other of uploads) if (other !== upload) await multipart.abort(key, other);
      const made = await stat(key);
      if (made && made.size === wanted.size && isOfParts(made.etag, parts)) return true;
      await remove(key);
      throw new CrowdaiError(
        "digest_mismatch",
        "The object store joined the parts to a different object than announced.",
      );
    }
    return false;
  }

  async function requireWanted(key: string, found: StoredObject, wanted: AnnouncedObject): Promise<void> {
    const same =
      isSame(found, wanted) &&
      // Without digests of the parts, the upload was not verified.
      (wanted.parts !== undefined || (await digest(key)) === wanted.sha256);
    if (same) return;
    await remove(key);
    throw new CrowdaiError("digest_mismatch");
  }

  return {
    async planUpload(key, wanted, { isNew = false } = {}) {
      const expires_at = new Date(Date.now() + seconds * 1000).toISOString();
      const parts = plannedParts(wanted);
      const beginNew = async () => ({ upload: await begin(key, wanted.sha256), missing: parts });
      const [before, continued] = await Promise.all([stat(key), isNew ? beginNew() : arriving(key, parts)]);
      if (before && isNew && continued) await multipart.abort(key, continued.upload);
      if (before && !isSame(before, wanted)) throw new CrowdaiError("object_exists");
      if (before) return { parts: [], missing: { parts: 0, bytes: 0 }, expires_at };
      const { upload, missing } = continued ?? (await beginNew());
      const planned = missing.slice(0, PLANNED_PARTS).map(async ({ number, offset, size, md5 }) => {
        const bound = { key, upload, number, size, md5 };
        return { number, offset, size, method: "PUT", ...(await signing.part(bound, seconds)) } as Part;
      });
      return {
        parts: await Promise.all(planned),
        missing: { parts: missing.length, bytes: missing.reduce((sum, { size }) => sum + size, 0) },
        expires_at,
      };
    },

    async finishUpload(key, wanted) {
      if (await completeBegun(key, wanted)) return;
      const before = await stat(key);
      if (!before && !(await complete(key, wanted))) {
        const left = await arriving(key, plannedParts(wanted));
        // All parts arrived with the right lengths, so a digest differs: the store accepted a wrong part.
        if (left && isFilled(left.arrived, wanted)) {
          await remove(key);
          throw new CrowdaiError("digest_mismatch");
        }
      }
      const found = before ?? (await stat(key));
      if (!found) throw new CrowdaiError("upload_missing");
      await requireWanted(key, found, wanted);
    },

    async abandonUploads(before) {
      let abandoned = 0;
      for await (const { key, upload, began } of multipart.all()) {
        if (began >= before || !OBJECT_KEY.test(key)) continue;
        await multipart.abort(key, upload);
        abandoned++;
      }
      return abandoned;
    },
  };
}

type Part = Upload["parts"][number];
type PlannedPart = Omit<FilePart, "md5"> & { md5?: string };

function plannedParts({ size, parts }: AnnouncedObject): PlannedPart[] {
  return parts ? filePartsOf(size, parts) : [{ number: 1, offset: 0, size }];
}

function isPart({ number, size, etag }: ArrivedPart, part: PlannedPart): boolean {
  return number === part.number && size === part.size && (part.md5 === undefined || etag === part.md5);
}

function isFilled(arrived: readonly ArrivedPart[], wanted: AnnouncedObject): boolean {
  return plannedParts(wanted).every(({ number, size }) =>
    arrived.some((one) => isPart(one, { number, size, offset: 0 })),
  );
}

async function wholeIn(
  multipart: Multipart,
  key: string,
  upload: string,
  size: number,
): Promise<ListedPart[] | null> {
  const arrived = await multipart.arrived(key, upload);
  const [only] = arrived ?? [];
  return only && arrived?.length === 1 && only.number === 1 && only.size === size
    ? [{ number: 1, md5: only.etag }]
    : null;
}

/** Some stores have ETags of another kind, which say nothing about the parts. */
function isOfParts(etag: string, parts: readonly ListedPart[]): boolean {
  return !/^[0-9a-f]{32}-\d+$/.test(etag) || etag === etagOfParts(parts);
}

const isSame = (a: StoredObject, b: StoredObject) => a.size === b.size && a.sha256 === b.sha256;
