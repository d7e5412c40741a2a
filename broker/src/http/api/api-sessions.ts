import { createSessionSchema, receiptSchema, sessionRequestSchemas } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { agentRequest } from "../../domain/sessions/agent-request.ts";
import { createSession } from "../../domain/sessions/create-session.ts";
import { findFreeOrOwn } from "../../domain/submissions/find-submission.ts";
import type { IntentNeeds } from "../../domain/submissions/register-intent.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { type ApiGroup, answers, body, idParam, withKey } from "./api-shapes.ts";

/** How long a request may stay without an answer, before the client has to ask again. */
const MAX_WAIT_MS = 15_000;

/** Described in docs/environments.md: a space may contain spaces. */
const answerSchema = z.looseObject({
  type: z.enum(["hello", "observation", "step", "end", "error", "waiting"]),
});

const REQUESTS = [
  [
    "hello",
    sessionRequestSchemas["environment:hello"].omit({ id: true }),
    "Get the spaces and limits of a session's environment",
  ],
  [
    "reset",
    sessionRequestSchemas["environment:reset"].omit({ id: true }),
    "Begin the next episode of a session",
  ],
  ["step", sessionRequestSchemas["environment:step"].omit({ id: true }), "Take a step in a session"],
  [
    "submit",
    sessionRequestSchemas["environment:submit"].omit({ id: true }),
    "End a session whose episodes are finished",
  ],
] as const;

/** Sessions of remote agents, for programs without a socket connection. */
export function agentSessionRoutes({
  api,
  context,
  participant,
}: ApiGroup<IntentNeeds & HttpNeeds<"agents">>): void {
  api.openapi(
    createRoute({
      method: "post",
      path: "/sessions",
      summary: "Register a session with an environment, which is a submission",
      description:
        "Idempotent: the client makes the id, and sending it again returns the same receipt and takes no second slot.",
      security: withKey,
      request: { body: body(createSessionSchema) },
      responses: answers(receiptSchema, "The submission"),
    }),
    async (c) => {
      const [caller, session] = [await participant(c), c.req.valid("json")];
      const known = await findFreeOrOwn(context().records.db, caller, session.id);
      return c.json(await createSession(context(), caller, session, known), 200);
    },
  );

  for (const [type, schema, summary] of REQUESTS)
    api.openapi(
      createRoute({
        method: "post",
        path: `/sessions/{id}/${type}`,
        summary,
        description:
          "Repeating a request with its numbers is harmless. The answer `waiting` comes when there is none within 15 seconds: ask again.",
        security: withKey,
        request: { params: idParam, body: body<z.ZodType<object>>(schema) },
        responses: answers(answerSchema, "The answer of the session"),
      }),
      async (c) => {
        const caller = await participant(c);
        const { id } = c.req.valid("param");
        const { agents } = context();
        const request = agentRequest(type, c.req.valid("json"));
        const answer = await agents.ask(caller, id, request, MAX_WAIT_MS, c.req.raw.signal);
        return c.json(answer ?? (await agents.waiting(id)), 200);
      },
    );
}
