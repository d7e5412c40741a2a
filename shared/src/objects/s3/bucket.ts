import type { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { CrowdaiError } from "../../protocol/errors.ts";
import { needsPathStyle, type S3Settings } from "../s3-settings.ts";

export type Sdk = typeof import("@aws-sdk/client-s3");

/** One bucket, and how to talk to it. */
export interface Bucket {
  sdk: Sdk;
  client: S3Client;
  name: string;
}

const IDLE_MS = 60_000;

/** Loads the SDK, which takes a while: only who has objects on S3 waits for it. */
export async function openBucket(settings: S3Settings): Promise<Bucket> {
  const { bucket, region, endpoint, accessKeyId, secretAccessKey, sessionToken } = settings;
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    region,
    forcePathStyle: needsPathStyle(settings),
    // Checksums that older and other stores do not know. What is sent is bound to its MD5, which each knows.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: IDLE_MS },
    endpoint,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined,
  });
  return { sdk, client, name: bucket };
}

/** Makes the bucket when there is none, if that is allowed. Throws store_unreachable. */
export async function requireBucket({ sdk, client, name }: Bucket): Promise<void> {
  try {
    await client.send(new sdk.HeadBucketCommand({ Bucket: name }));
  } catch (failure) {
    if (statusOf(failure) !== 404) throw storeFailure(failure);
    try {
      await client.send(new sdk.CreateBucketCommand({ Bucket: name }));
    } catch (refused) {
      // Another broker made it meanwhile.
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

/** What the store did not do, as store_unreachable; what is typed already as it is. Addresses and keys are left out. */
export function storeFailure(failure: unknown): unknown {
  if (failure instanceof CrowdaiError || !(failure instanceof Error)) return failure;
  const status = statusOf(failure);
  const { code } = failure as NodeJS.ErrnoException;
  const what =
    status === 403 || REFUSED.includes(failure.name)
      ? `refused the credentials (${failure.name})`
      : isCode(failure, "NoSuchBucket")
        ? "has no such bucket"
        : status !== undefined
          ? `answered with status ${status} (${failure.name})`
          : `cannot be reached (${code ?? failure.name})`;
  return new CrowdaiError("store_unreachable", `The object store ${what}.`, { cause: failure });
}
