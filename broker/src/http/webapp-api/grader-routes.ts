import type { Hono } from "hono";
import type { Needs } from "../../domain/submissions/services.ts";
import { findParticipant, findReferredSubmission, requireManagedChallenge } from "./callers.ts";
import { createSubmission } from "./create-submission.ts";
import { gradeReferredSubmission } from "./grade-referred-submission.ts";
import { withName } from "./named-row.ts";
import { findNumberedSubmission } from "./numbered-submission.ts";
import { answer, notFoundResponse } from "./responses.ts";
import { submissionDetails } from "./submission-object.ts";
import { texts } from "./texts.ts";
import { updateSubmission } from "./update-submission.ts";
import { Refusal } from "./webapp-errors.ts";
import type { WebappGroup } from "./webapp-group.ts";

/** Routes of external graders: to identify a key, and to create, update and read submissions. */
export function graderRoutes(
  api: Hono,
  {
    context,
    manager,
    parameters,
  }: WebappGroup<Needs<"records" | "catalog" | "clock" | "objects" | "announce" | "queue" | "log">>,
): void {
  const db = () => context().records.db;

  // Not a key, though it is in the place of one: the original had this route without a handler.
  api.get("/api/external_graders/challenge_config", notFoundResponse);

  api.get("/api/external_graders/:key", async (c) => {
    const participant = await findParticipant(db(), await manager(c), c.req.param("key"));
    return participant
      ? answer(c, 200, { message: texts.keyValid, participant_id: participant.id })
      : answer(c, 404, { message: texts.keyUnknown, participant_id: null });
  });

  api.post("/api/external_graders", async (c) => {
    const who = await manager(c);
    const sent = await parameters(c);
    await requireManagedChallenge(db(), who, sent.text("challenge_client_name") ?? "");
    const referred = await findReferredSubmission(db(), who, sent.text("api_key") ?? "");
    const { status, body } = referred
      ? await gradeReferredSubmission(context(), who, referred, sent)
      : await createSubmission(context(), who, sent);
    return answer(c, status, body);
  });

  api.on(["PATCH", "PUT"], "/api/external_graders/:id", async (c) => {
    const who = await manager(c);
    const { status, body } = await updateSubmission(context(), who, c.req.param("id"), await parameters(c));
    return answer(c, status, body);
  });

  api.get("/api/external_graders/:id/submission_info", async (c) => {
    const who = await manager(c);
    try {
      const row = await findNumberedSubmission(db(), c.req.param("id"));
      await requireManagedChallenge(db(), who, row.challenge);
      const details = submissionDetails(await withName(db(), row));
      return answer(c, 200, { message: texts.details, body: details });
    } catch (error) {
      if (error instanceof Refusal) return answer(c, 400, { message: error.message, body: null });
      throw error;
    }
  });
}
