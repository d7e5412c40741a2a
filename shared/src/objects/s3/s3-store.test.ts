import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import type { Service } from "../../../../scripts/services/service.ts";
import {
  SWIFT_ACCESS_KEY,
  SWIFT_REGION,
  SWIFT_SECRET_KEY,
  startSwift,
} from "../../../../scripts/services/swift.ts";
import { objectStoreContract } from "../object-store.contract.ts";
import { createS3Store, type S3StoreOptions } from "./s3-store.ts";

describe.skipIf(withoutService("swift"))("on OpenStack Swift", () => {
  let folder: string;
  let swift: Service;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-swift-"));
    swift = await startSwift({ folder });
  });
  afterAll(async () => {
    await swift.stop();
    await rm(folder, { recursive: true });
  });

  const settings = (changes: Partial<S3StoreOptions> = {}): S3StoreOptions => ({
    endpoint: swift.url,
    bucket: `test-${randomBytes(6).toString("hex")}`,
    region: SWIFT_REGION,
    accessKeyId: SWIFT_ACCESS_KEY,
    secretAccessKey: SWIFT_SECRET_KEY,
    ...changes,
  });

  objectStoreContract("the S3 store", async () => {
    const store = await createS3Store(settings());
    return { store, close: () => store.close() };
  });
});
