import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Hono } from "hono";
import type { CreateRateLimiter } from "../base/rate-limits.ts";
import type { SubmissionServices } from "../domain/submissions/services.ts";
import { readSecret } from "../records/secret.ts";
import type { NextEvent } from "./follow-events.ts";
import { type LegacyGateway, openLegacyGateway } from "./legacy-gateway.ts";
import { legacyRoutes, UPLOAD_PATH } from "./upload-routes.ts";
import { createUploads } from "./uploads.ts";

export interface Legacy {
  gateway: LegacyGateway;
  routes: Hono;
  /** Removes uploads that were never submitted. */
  sweep(): Promise<void>;
}

/** Opens everything that serves clients of the published Python package. */
export async function openLegacy(
  context: SubmissionServices,
  nextEvent: NextEvent,
  createRateLimiter: CreateRateLimiter,
): Promise<Legacy> {
  const { objects, records, catalog, baseUrl, clock } = context;
  const uploads = createUploads({
    objects,
    secret: await readSecret(records.db, "legacy_uploads_secret"),
    baseUrl,
    path: UPLOAD_PATH,
    maxBytes: () =>
      Math.max(0, ...[...catalog.all().values()].map(({ config: { accepts } }) => largest(accepts))),
    now: () => clock().getTime(),
  });
  return {
    gateway: openLegacyGateway({ context: () => context, uploads, nextEvent, createRateLimiter }),
    routes: legacyRoutes(() => context, uploads),
    sweep: uploads.sweep,
  };
}

const largest = ({ file, json }: ChallengeConfig["accepts"]): number =>
  Math.max(file?.max_bytes ?? 0, json?.max_bytes ?? 0);
