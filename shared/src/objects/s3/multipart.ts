import { createHash } from "node:crypto";
import type { CompletedPart, MultipartUpload } from "@aws-sdk/client-s3";
import type { FilePart } from "../../protocol/upload-parts.ts";
import { type Bucket, isCode, statusOf, storeFailure } from "./bucket.ts";

export interface ArrivedPart {
  number: number;
  size: number;
  /** MD5 in hexadecimal, unless the store encrypts with a customer key. */
  etag: string;
}

/** The multipart uploads of a bucket. Errors of the store are thrown as store_unreachable. */
export interface Multipart {
  /** Starts the upload of an object with this digest. Returns its id. */
  begin(key: string, sha256: string, type?: string): Promise<string>;
  /** Returns the ids of a key's unfinished uploads, oldest first. */
  open(key: string): Promise<string[]>;
  /** Returns the arrived parts; null when the upload no longer exists. */
  arrived(key: string, upload: string): Promise<ArrivedPart[] | null>;
  /**
   * Joins exactly these parts into the object. Returns its ETag, empty when the store does not tell; false
   * when the store does not have them.
   */
  complete(
    key: string,
    upload: string,
    parts: readonly ListedPart[],
    ifNone?: boolean,
  ): Promise<{ etag: string } | false>;
  /** Aborts an upload. Harmless when it no longer exists. */
  abort(key: string, upload: string): Promise<void>;
  /** Yields all unfinished uploads of the bucket. */
  all(): AsyncGenerator<{ key: string; upload: string; began: number }>;
}

export type ListedPart = Pick<FilePart, "number" | "md5">;

export function createMultipart({ sdk, client, name: Bucket }: Bucket): Multipart {
  async function* list(prefix?: string): AsyncGenerator<Required<Listed>> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const page = await client
        .send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: prefix, ...marker }))
        .catch((failure) => {
          throw storeFailure(failure);
        });
      for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
        if (Key && UploadId) yield { Key, UploadId, Initiated: Initiated ?? new Date(0) };
      if (!page.IsTruncated || !page.NextKeyMarker) return;
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker || undefined };
    }
  }

  return {
    async begin(key, sha256, type = "application/octet-stream") {
      const begun = await client
        .send(
          new sdk.CreateMultipartUploadCommand({
            Bucket,
            Key: key,
            ContentType: type,
            Metadata: { sha256 },
          }),
        )
        .catch((failure) => {
          throw storeFailure(failure);
        });
      return begun.UploadId as string;
    },

    async open(key) {
      const found: Required<Listed>[] = [];
      for await (const upload of list(key)) if (upload.Key === key) found.push(upload);
      return found
        .sort((a, b) => +a.Initiated - +b.Initiated || (a.UploadId < b.UploadId ? -1 : 1))
        .map(({ UploadId }) => UploadId);
    },

    async arrived(key, upload) {
      const parts: ArrivedPart[] = [];
      // The SDK's paginator continues as long as there is a marker, but some stores send one with the last
      // page.
      for (let marker: string | undefined, more = true; more; ) {
        const asked = { Bucket, Key: key, UploadId: upload, PartNumberMarker: marker };
        try {
          const page = await client.send(new sdk.ListPartsCommand(asked));
          for (const { PartNumber = 0, Size = 0, ETag = "" } of page.Parts ?? [])
            parts.push({ number: PartNumber, size: Size, etag: plain(ETag) });
          marker = page.NextPartNumberMarker;
          more = page.IsTruncated === true && marker !== undefined;
        } catch (failure) {
          if (isCode(failure, "NoSuchUpload") || statusOf(failure) === 404) return null;
          throw storeFailure(failure);
        }
      }
      return parts;
    },

    async complete(key, upload, parts, ifNone = false) {
      const listed: CompletedPart[] = parts.map(({ number, md5 }) => ({
        PartNumber: number,
        ETag: `"${md5}"`,
      }));
      try {
        const { ETag = "" } = await client.send(
          new sdk.CompleteMultipartUploadCommand({
            Bucket,
            Key: key,
            UploadId: upload,
            MultipartUpload: { Parts: listed },
            IfNoneMatch: ifNone ? "*" : undefined,
          }),
        );
        return { etag: plain(ETag) };
      } catch (failure) {
        if (isCode(failure, "InvalidPart", "NoSuchUpload", "EntityTooSmall", "MalformedXML")) return false;
        throw ifNone ? failure : storeFailure(failure);
      }
    },

    async abort(key, upload) {
      await client
        .send(new sdk.AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: upload }))
        .catch((failure) => {
          if (!isCode(failure, "NoSuchUpload") && statusOf(failure) !== 404) throw storeFailure(failure);
        });
    },

    async *all() {
      for await (const { Key, UploadId, Initiated } of list())
        yield { key: Key, upload: UploadId, began: +Initiated };
    },
  };
}

type Listed = Pick<MultipartUpload, "Key" | "UploadId" | "Initiated">;

export const plain = (etag: string): string => etag.replaceAll('"', "");

/** Returns the ETag of an object that S3 joined from these parts: the MD5 of their MD5s, and their number. */
export function etagOfParts(parts: readonly ListedPart[]): string {
  const hash = createHash("md5");
  for (const { md5 } of parts) hash.update(Buffer.from(md5, "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
}
