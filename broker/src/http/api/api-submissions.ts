import {
  CrowdaiError,
  callSchema,
  intentSchema,
  isFinal,
  receiptSchema,
  submissionEventSchema,
  submissionSchema,
} from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { readStandingNow, standingsReader, withoutRank } from "../../domain/leaderboard/standing-now.ts";
import { accessToSubmission, isOrganizerOf, sightOfSubmissions } from "../../domain/rules/visibility.ts";
import { type AcceptNeeds, acceptUpload } from "../../domain/submissions/accept-upload.ts";
import { type CancelNeeds, cancelSubmission } from "../../domain/submissions/cancel-submission.ts";
import { readEvents } from "../../domain/submissions/events.ts";
import {
  findFreeOrOwn,
  findSubmission,
  submissionUnknown,
} from "../../domain/submissions/find-submission.ts";
import { redactSubmission } from "../../domain/submissions/redact-submission.ts";
import { type CallNeeds, registerCall } from "../../domain/submissions/register-call.ts";
import { type IntentNeeds, registerIntent } from "../../domain/submissions/register-intent.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { readSurroundings, viewSubmission } from "../../domain/submissions/view-submission.ts";
import { withShownSeeds } from "../../domain/submissions/with-shown-seeds.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { bearerKey } from "../requests/bearer-key.ts";
import { type ApiGroup, answers, body, idParam, keyOptional, whole, withKey } from "./api-shapes.ts";

/** Submissions over plain HTTP, for clients without a socket connection. */
export function submissionRoutes(
  {
    api,
    context,
    participant,
    viewer,
  }: ApiGroup<AcceptNeeds & CancelNeeds & CallNeeds & IntentNeeds & Needs<"seedsOf">>,
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>,
): void {
  const db = () => context().records.db;
  const viewListed = async (row: SubmissionRow) =>
    viewSubmission(context(), db(), row, await readSurroundings(db(), row, { withRun: false }));

  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions",
      summary: "List your submissions, newest first; with an organizer's key, those of a challenge",
      description: "Without `run` and `environment`, which are null here: get a single submission for them.",
      security: withKey,
      request: { query: z.object({ challenge: z.string().optional(), limit: whole(50, 1000) }) },
      responses: answers(z.object({ submissions: z.array(submissionSchema) }), "Your submissions"),
    }),
    async (c) => {
      const caller = await context().webapp.identify(bearerKey(c));
      const { challenge, limit } = c.req.valid("query");
      if (caller.kind === "organizer" && !(await isOrganizerOf(db(), caller, challenge ?? "")))
        throw new CrowdaiError(
          "not_allowed",
          "An organizer's key reads only submissions to the organizer's own challenges.",
          {
            next: "Add the challenge: ?challenge=<id>",
          },
        );
      if (challenge !== undefined)
        await sightOfSubmissions(
          context(),
          context().catalog.get(challenge).config,
          caller,
          context().clock(),
        );
      const rows = await db()
        .selectFrom("submissions")
        .selectAll()
        .$if(caller.kind === "participant", (query) => query.where("participant_id", "=", caller.id))
        .where("function", "=", "submit")
        .$if(challenge !== undefined, (query) => query.where("challenge", "=", challenge as string))
        .orderBy("number", "desc")
        .limit(limit)
        .execute();
      const standingOf = standingsReader(context());
      const { catalog } = context();
      // An organizer's list has a place for each participant, and the leaderboard has them all.
      const standingIn = async (row: SubmissionRow) => {
        if (caller.kind !== "participant") return null;
        const standing = await standingOf(row);
        return catalog.all().get(row.challenge)?.config.visibility.leaderboard
          ? standing
          : withoutRank(standing);
      };
      const views = rows.map(async (row) => ({
        ...(await viewListed(row)),
        standing: await standingIn(row),
      }));
      return c.json({ submissions: await Promise.all(views) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/submissions",
      summary: "Register a submission; a value in the request is accepted immediately",
      description:
        "Idempotent: the client makes the id, and sending it again returns the same receipt and takes no second slot.",
      security: withKey,
      request: { body: body(intentSchema) },
      responses: answers(receiptSchema, "The submission, and where to upload missing bytes"),
    }),
    async (c) => {
      const [caller, intent] = [await participant(c), c.req.valid("json")];
      const known = await findFreeOrOwn(context().records.db, caller, intent.id);
      return c.json(await registerIntent(context(), caller, intent, known), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/calls",
      summary: "Call a function of the evaluator with a list of values",
      security: withKey,
      request: { body: body(callSchema) },
      responses: answers(
        z.object({ submissions: z.array(submissionSchema) }),
        "One submission per value, in order",
      ),
    }),
    async (c) =>
      c.json({ submissions: await registerCall(context(), await participant(c), c.req.valid("json")) }, 200),
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions/{id}",
      summary: "Get a submission: yours, one to your challenge, or any that the challenge shows",
      description:
        "For callers other than its participant and the organizers, `input`, `grading_message`, `data`, `error`, `run` and `environment` are null. " +
        "Until it is published, `message` and `code` are null too, and `artifacts` is empty.",
      security: keyOptional,
      request: { params: idParam },
      responses: answers(submissionSchema, "The submission"),
    }),
    async (c) => {
      const caller = await viewer(c);
      const { id } = c.req.valid("param");
      const row = await db().selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirst();
      const { catalog, clock } = context();
      const config = row && catalog.all().get(row.challenge)?.config;
      const access = row ? await accessToSubmission(db(), config, caller, row, clock()) : null;
      if (row && access) {
        const seesRank = access === "organizer" || config?.visibility.leaderboard === true;
        const standing = seesRank || access === "own" ? await readStandingNow(context(), row) : null;
        const submission = {
          ...(await withShownSeeds(context(), await viewSubmission(context(), db(), row), row)),
          standing: seesRank ? standing : withoutRank(standing),
        };
        return c.json(access === "other" ? redactSubmission(submission) : submission, 200);
      }
      if (caller === null) throw new CrowdaiError("no_key");
      throw submissionUnknown(id);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/submissions/{id}/complete",
      summary: "Complete an upload",
      security: withKey,
      request: { params: idParam },
      responses: answers(receiptSchema, "The accepted submission"),
    }),
    async (c) => c.json(await acceptUpload(context(), await participant(c), c.req.valid("param").id), 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/submissions/{id}/cancel",
      summary: "Cancel a submission that has not finished",
      security: withKey,
      request: { params: idParam },
      responses: answers(submissionSchema, "The cancelled submission"),
    }),
    async (c) =>
      c.json(await cancelSubmission(context(), await participant(c), c.req.valid("param").id), 200),
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions/{id}/events",
      summary: "List events after the number `after`; waits up to `wait` seconds for the first one",
      security: withKey,
      request: { params: idParam, query: z.object({ after: whole(0, 1e9), wait: whole(0, 25) }) },
      responses: answers(
        z.object({ submission: submissionSchema, events: z.array(submissionEventSchema) }),
        "The events, in order and without gaps",
      ),
    }),
    async (c) => {
      const caller = await context().webapp.identify(bearerKey(c));
      const { id } = c.req.valid("param");
      const { after, wait } = c.req.valid("query");
      const ended = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(wait * 1000)]);
      const row = await findSubmission(db(), caller, id);
      const arrived = nextEvent(id, ended);
      let events = await readEvents(db(), id, after);
      if (events.length === 0 && wait > 0 && !isFinal(row.state)) {
        await arrived;
        // The key may have been revoked while the request waited.
        await context().webapp.identify(bearerKey(c));
        events = await readEvents(db(), id, after);
      }
      const now = await findSubmission(db(), caller, id);
      return c.json({ submission: await viewSubmission(context(), db(), now), events }, 200);
    },
  );
}
