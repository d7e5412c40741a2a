import type { S3RequestPresigner } from "@aws-sdk/s3-request-presigner";
import { attachmentHeader } from "../attachment-header.ts";
import type { Bucket } from "./bucket.ts";

/** Signs URLs for a bucket. */
export interface Signing {
  /** Returns a URL for the PUT of one part of a multipart upload, and the headers to send with it. */
  part(upload: PartOfUpload, seconds: number): Promise<{ url: string; headers: Record<string, string> }>;
  get(key: string, options: { seconds: number; name?: string; type?: string }): Promise<string>;
}

export interface PartOfUpload {
  key: string;
  upload: string;
  number: number;
  size: number;
  /** In hexadecimal; absent when only the length can be bound. */
  md5?: string | undefined;
}

export async function createSigning(bucket: Bucket): Promise<Signing> {
  const { S3RequestPresigner, getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
  const { sdk, client, name } = bucket;
  const presigner: S3RequestPresigner = new S3RequestPresigner({ ...client.config });
  // The SDK knows the URL of the bucket. Asked only once, because that takes ten times as long as a
  // signature.
  const sample = new URL(await getSignedUrl(client, new sdk.GetObjectCommand({ Bucket: name, Key: "k" })));
  const root = sample.pathname.slice(0, -1);
  const place = {
    protocol: sample.protocol,
    hostname: sample.hostname,
    port: sample.port ? Number(sample.port) : undefined,
  };

  // The SDK takes the difference from answers of the store, which compares signatures with its own clock.
  const storeTime = () => new Date(Date.now() + client.config.systemClockOffset);

  return {
    async part({ key, upload, number, size, md5 }, seconds) {
      const bound: Record<string, string> = md5
        ? { "content-md5": Buffer.from(md5, "hex").toString("base64") }
        : {};
      const signed = await presigner.presign(
        {
          ...place,
          method: "PUT",
          path: root + key,
          query: { partNumber: String(number), uploadId: upload },
          headers: { host: sample.host, "content-length": String(size), ...bound },
        },
        {
          expiresIn: seconds,
          signingDate: storeTime(),
          // In the query string they would have no effect: the store checks headers.
          signableHeaders: new Set(["host", "content-length", "content-md5"]),
          unhoistableHeaders: new Set(["content-length", "content-md5"]),
        },
      );
      return { url: addressOf(signed), headers: bound };
    },

    get: (key, { seconds, name: fileName, type }) =>
      getSignedUrl(
        client,
        new sdk.GetObjectCommand({
          Bucket: name,
          Key: key,
          ResponseContentDisposition: attachmentHeader(fileName),
          ResponseContentType: type ?? "application/octet-stream",
        }),
        { expiresIn: seconds, signingDate: storeTime() },
      ),
  };

  function addressOf({ path, query }: { path: string; query?: unknown }): string {
    return `${sample.origin}${path}?${new URLSearchParams(query as Record<string, string>)}`;
  }
}
