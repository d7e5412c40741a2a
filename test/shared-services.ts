import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { SWIFT_ACCESS_KEY, SWIFT_REGION, SWIFT_SECRET_KEY } from "../scripts/services/swift.ts";
import type { SharedServiceName } from "../scripts/test/shared-services.ts";

/**
 * Returns the address of a service that all test files of this run share; it is started when needed. A test
 * that kills, freezes or configures a service starts one of its own.
 */
export async function sharedService(name: SharedServiceName): Promise<{ url: string; port: number }> {
  const response = await fetch(`${inject("sharedServices")}/${name}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as { url: string; port: number };
}

/** Creates an empty database on the shared PostgreSQL, and returns its address. */
export async function createDatabase(): Promise<string> {
  const { url } = await sharedService("postgres");
  const name = uniqueName("test").replaceAll("-", "_");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return Object.assign(new URL(url), { pathname: name }).href;
}

/** Names a new bucket of the shared Swift, which the store makes when it is opened. */
export async function nameBucket() {
  const { url } = await sharedService("swift");
  return {
    endpoint: url,
    bucket: uniqueName("test"),
    region: SWIFT_REGION,
    accessKeyId: SWIFT_ACCESS_KEY,
    secretAccessKey: SWIFT_SECRET_KEY,
  };
}

/** Returns the environment that makes a broker use a bucket. */
export function bucketEnvironment(bucket: Awaited<ReturnType<typeof nameBucket>>) {
  return {
    S3_ENDPOINT: bucket.endpoint,
    S3_BUCKET: bucket.bucket,
    S3_REGION: bucket.region,
    AWS_ACCESS_KEY_ID: bucket.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bucket.secretAccessKey,
  };
}

function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(8).toString("hex")}`;
}
