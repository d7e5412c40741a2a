import type { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { CrowdaiError } from "../../protocol/errors.ts";
import { needsPathStyle, type S3Settings } from "../s3-settings.ts";

export type Sdk = typeof import("@aws-sdk/client-s3");

/** A bucket and its client. */
export interface Bucket {
  sdk: Sdk;
  client: S3Client;
  name: string;
}

const IDLE_MS = 60_000;

/** Opens a bucket. Loads the SDK only here, because that is slow. */
export async function openBucket(settings: S3Settings): Promise<Bucket> {
  const { bucket, region, endpoint, accessKeyId, secretAccessKey, sessionToken } = settings;
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    region,
    forcePathStyle: needsPathStyle(settings),
    // Other stores do not support the newer checksums. All support MD5, which each request is bound to.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: IDLE_MS },
    endpoint,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined,
  });
  return { sdk, client, name: bucket };
}

/** Creates the bucket if it does not exist and that is permitted. Throws store_unreachable. */
export async function requireBucket({ sdk, client, name }: Bucket): Promise<void> {
  try {
    await client.send(new sdk.HeadBucketCommand({ Bucket: name }));
  } catch (failure) {
    if (statusOf(failure) !== 404) throw storeFailure(failure);
    try {
      await client.send(new sdk.CreateBucketCommand({ Bucket: name }));
    } catch (refused) {
      // Another broker created it in the meantime.
      if (!isCode(refused, "BucketAlreadyOwnedByYou", "BucketAlreadyExists")) throw storeFailure(refused);
      await client.send(new sdk.HeadBucketCommand({ Bucket: name })).catch((still) => {
        throw storeFailure(still);
      });
    }
  }
}

export function isCode(failure: unknown, ...codes: string[]): boolean {
  return codes.includes((failure as S3ServiceException | null)?.name ?? "");
}

export const statusOf = (failure: unknown): number | undefined =>
  (failure as S3ServiceException | null)?.$metadata?.httpStatusCode;

const REFUSED = ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "Forbidden"];

/**
 * Converts an SDK error to store_unreachable, without addresses and keys. Returns a CrowdaiError unchanged.
 */
export function storeFailure(failure: unknown): unknown {
  if (failure instanceof CrowdaiError || !(failure instanceof Error)) return failure;
  const status = statusOf(failure);
  const { code } = failure as NodeJS.ErrnoException;
  const what =
    status === 403 || REFUSED.includes(failure.name)
      ? `refused the credentials (${failure.name})`
      : isCode(failure, "NoSuchBucket")
        ? "does not have the bucket"
        : status !== undefined
          ? `responded with HTTP ${status} (${failure.name})`
          : `is unreachable (${code ?? failure.name})`;
  return new CrowdaiError("store_unreachable", `The object store ${what}.`, { cause: failure });
}
