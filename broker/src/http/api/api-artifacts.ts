import { CrowdaiError } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isPublic } from "../../domain/rules/is-public.ts";
import { isDetailedResults, readArtifacts } from "../../domain/submissions/artifacts.ts";
import { findSubmission } from "../../domain/submissions/find-submission.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { type ApiGroup, idParam, keyOptional, refusal } from "./api-shapes.ts";

/** A download must start within this time. */
const LINK_SECONDS = 300;

/**
 * Downloads of models and artifacts: for the participant and organizers, and for everyone once published.
 * `reader` identifies a request without a key: a reader of the pages, which link to them.
 */
export function artifactRoutes(
  { api, context, viewer }: ApiGroup<Needs<"records" | "objects">>,
  reader: (c: Context) => Promise<Caller | null>,
): void {
  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions/{id}/artifacts/{number}",
      summary: "Download a model or an artifact by its position in the submission's list",
      security: keyOptional,
      request: { params: idParam.extend({ number: z.coerce.number().int().min(1).max(1e6) }) },
      responses: { 302: { description: "The download address, valid for five minutes" }, default: refusal },
    }),
    async (c) => {
      const { id, number } = c.req.valid("param");
      const { records, objects } = context();
      const caller = (await viewer(c)) ?? (await reader(c));
      const row = await findReadable(records.db, caller, id);
      const file = (await readArtifacts(records.db, row))[number - 1];
      // Not for everyone once published.
      if (file && isDetailedResults(file)) await findOwn(records.db, caller, id);
      if (!file)
        throw new CrowdaiError("object_missing", `Submission "${id}" has no artifact number ${number}.`);
      c.header("cache-control", "private, no-store");
      // Always plain bytes to save: browsers must not open them.
      return c.redirect(await objects.signGet(file.key, { seconds: LINK_SECONDS, name: file.name }), 302);
    },
  );
}

async function findReadable(db: Db, caller: Caller | null, id: string): Promise<SubmissionRow> {
  const row = await db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirst();
  return row && isPublic(row) ? row : findOwn(db, caller, id);
}

async function findOwn(db: Db, caller: Caller | null, id: string): Promise<SubmissionRow> {
  if (caller) return findSubmission(db, caller, id);
  throw new CrowdaiError("submission_unknown", `There is no published submission "${id.slice(0, 64)}".`, {
    next: "Sign in if it is yours.",
  });
}
