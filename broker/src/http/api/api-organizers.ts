import { CrowdaiError, runRecordSchema } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { findSubmission } from "../../domain/submissions/find-submission.ts";
import { markBaseline } from "../../domain/submissions/mark-baseline.ts";
import { readAttempts } from "../../domain/submissions/read-attempts.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { bearerKey } from "../requests/bearer-key.ts";
import { type ApiGroup, answers, body, idParam, withKey } from "./api-shapes.ts";

const loggedAttemptSchema = z.object({
  number: z.number().int(),
  state: z.enum(["waiting", "started", "done", "lost"]),
  accepted: z.boolean().openapi({ description: "Whether its outcome counts." }),
  grader: z.string().nullable(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  evaluator_version: z.string().nullable(),
  organiser_log: z.string().nullable(),
  score: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  run: runRecordSchema.nullable().openapi({ description: "How submitted code was run." }),
});
const baselineSchema = z.object({
  baseline: z.boolean(),
  comment: z.string().max(1000).nullable().default(null),
});

/** Adds the routes with which organizers read and change submissions to their challenges. */
export function organizerRoutes({
  api,
  context,
}: Pick<ApiGroup<Needs<"records" | "webapp">>, "api" | "context">): void {
  const db = () => context().records.db;

  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions/{id}/attempts",
      summary: "List the attempts at a submission, with the organizer's log (organizers only)",
      security: withKey,
      request: { params: idParam },
      responses: answers(z.object({ attempts: z.array(loggedAttemptSchema) }), "The attempts, in order"),
    }),
    async (c) => {
      const row = await ofOrganizer(c, c.req.valid("param").id);
      return c.json({ attempts: await readAttempts(db(), row) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "put",
      path: "/submissions/{id}/baseline",
      summary: "Make a submission a baseline, or a participant's entry again (organizers only)",
      security: withKey,
      request: { params: idParam, body: body(baselineSchema) },
      responses: answers(baselineSchema, "The new state"),
    }),
    async (c) => {
      const { id } = await ofOrganizer(c, c.req.valid("param").id);
      const { baseline, comment } = c.req.valid("json");
      const row = await markBaseline(context().records, id, baseline ? { comment } : null);
      return c.json({ baseline: row.baseline === 1, comment: row.baseline_comment }, 200);
    },
  );

  /** Throws not_allowed for participants, and submission_unknown for a submission to another challenge. */
  async function ofOrganizer(c: Context, id: string): Promise<SubmissionRow> {
    const caller = await context().webapp.identify(bearerKey(c));
    if (caller.kind !== "organizer")
      throw new CrowdaiError("not_allowed", "Only organizers of the challenge can do this.");
    return findSubmission(db(), caller, id);
  }
}
