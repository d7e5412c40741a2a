import type { Hono } from "hono";
import { nameKey } from "../../domain/participants/api-keys.ts";
import { readProfile } from "../../domain/profiles/profiles.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { mayManage, participantReference, requireAdmin, requireManagedChallenge } from "./callers.ts";
import { challengeOfNumber, readNumber } from "./challenge-numbers.ts";
import { listWebappChallenges, wholeChallenge } from "./challenge-object.ts";
import { withName } from "./named-row.ts";
import { readNumberedSubmission } from "./numbered-submission.ts";
import { answer } from "./responses.ts";
import { listWebappSubmissions, listWholeSubmissions } from "./submission-lists.ts";
import { submissionObjects } from "./submission-object.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";
import type { WebappGroup } from "./webapp-group.ts";

/** Routes for admins and organizers to read submissions, challenges, and a participant by name. */
export function listRoutes(
  api: Hono,
  {
    context,
    manager,
    parameters,
  }: WebappGroup<Needs<"records" | "catalog" | "clock" | "objects" | "baseUrl">>,
): void {
  const db = () => context().records.db;

  api.get("/api/submissions", async (c) => {
    const who = await manager(c);
    const sent = await parameters(c);
    const name = sent.text("challenge_client_name") ?? "";
    await requireManagedChallenge(db(), who, name);
    if (!context().catalog.all().has(name)) throw new Refusal(texts.clientNameUnknown(name), 404);
    const rows = await listWebappSubmissions(db(), name, sent);
    return answer(
      c,
      200,
      rows.map(({ number }) => number),
    );
  });

  api.get("/api/submissions/:id", async (c) => {
    requireAdmin(await manager(c));
    const row = await readNumberedSubmission(db(), c.req.param("id"));
    if (!row) throw new Refusal(texts.submissionUnknown, 404);
    const [object] = await submissionObjects(context(), row.challenge, [await withName(db(), row)]);
    return answer(c, 200, object);
  });

  api.get("/api/challenges/:id/submissions", async (c) => {
    const who = await manager(c);
    const number = readNumber(c.req.param("id"));
    const challenge = number === null ? null : await challengeOfNumber(db(), number);
    if (challenge === null && who.kind === "admin") throw new Refusal(texts.challengeUnknown, 404);
    if (challenge === null || !(await mayManage(db(), who, challenge)))
      throw new Refusal(texts.challengeForeign, 401);
    const rows = await listWholeSubmissions(db(), challenge, await parameters(c));
    return answer(c, 200, await submissionObjects(context(), challenge, rows));
  });

  api.get("/api/challenges", async (c) => {
    requireAdmin(await manager(c));
    return answer(c, 200, { message: await listWebappChallenges(context()) });
  });

  api.get("/api/challenges/:id", async (c) => {
    requireAdmin(await manager(c));
    const id = c.req.param("id");
    const number = readNumber(id);
    const known = context().catalog.all();
    const named = number === null ? null : await challengeOfNumber(db(), number);
    const config = (known.get(named ?? id) ?? known.get(id))?.config;
    if (!config) throw new Refusal(texts.challengeUnknown, 404);
    return answer(c, 200, { message: await wholeChallenge(context(), config) });
  });

  api.get("/api/participants/:name", async (c) => {
    requireAdmin(await manager(c));
    const name = c.req.param("name");
    const row = name.includes("\0") ? undefined : await participantNamed(name);
    if (!row) throw new Refusal(texts.nameUnknown, 404);
    const { id } = row;
    const profile = await readProfile(db(), id, context().baseUrl());
    return answer(c, 200, { id, email: null, api_key: participantReference(id), name: row.name, profile });
  });

  // The broker stores no registrations for tasks of the CLEF campaign, so every task is unknown.
  api.get("/api/clef_tasks/:id", async (c) => {
    await manager(c);
    throw new Refusal(texts.taskUnknown(c.req.param("id")), 404);
  });

  const participantNamed = (name: string) =>
    db()
      .selectFrom("participants")
      .select(["id", "name"])
      .where("name_key", "=", nameKey(name))
      .executeTakeFirst();
}
