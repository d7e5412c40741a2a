import { CrowdaiError, parseExact } from "@crowdai/shared";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { CodeNeeds } from "../../background/code-services.ts";
import { hasAgreed } from "../../domain/agreements/agreements.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { requireParticipant } from "../../domain/participants/api-keys.ts";
import { listKeys } from "../../domain/participants/list-keys.ts";
import { challengesOf } from "../../domain/participants/list-participants.ts";
import { identifyParticipant } from "../../domain/webapp/webapp.ts";
import { readInstance } from "../../records/instance.ts";
import { bearerKey } from "../requests/bearer-key.ts";
import { errorResponse } from "../requests/error-response.ts";
import type { HttpServices } from "../requests/http-services.ts";
import { agreementRoutes } from "./api-agreements.ts";
import { artifactRoutes } from "./api-artifacts.ts";
import { challengeRoutes } from "./api-challenges.ts";
import { ciRoutes } from "./api-ci.ts";
import { deviceLoginRoutes } from "./api-device-logins.ts";
import { joinRoutes } from "./api-join.ts";
import { organizerRoutes } from "./api-organizers.ts";
import { profileRoutes } from "./api-profile.ts";
import { publishingRoutes } from "./api-publishing.ts";
import { selectionRoutes } from "./api-selection.ts";
import { agentSessionRoutes } from "./api-sessions.ts";
import { type ApiGroup, answers, withKey } from "./api-shapes.ts";
import { submissionRoutes } from "./api-submissions.ts";
import { bodyError, readUtf8 } from "./body-error.ts";

const keySchema = z.object({
  label: z.string().nullable(),
  member: z.string().nullable(),
  created_at: z.string(),
  last_used_at: z.string().nullable().describe("Within the hour."),
  current: z.boolean().describe("Whether the request was made with this key."),
});

/**
 * The JSON API for the command line and for programs in other languages. /openapi.json describes its routes.
 */
export function apiRoutes(
  context: () => HttpServices,
  code: () => CodeNeeds<"repositories" | "host" | "kind">,
  version: string,
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>,
  reader: (c: Context) => Promise<Caller | null>,
): OpenAPIHono {
  const api = new OpenAPIHono({
    defaultHook(result, c) {
      if (result.success) return;
      const error = new CrowdaiError("usage", `${c.req.path}: ${z.prettifyError(result.error)}`);
      return errorResponse(c, error, context().log);
    },
  });
  api.openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "crowdai_…",
  });
  api.onError(async (thrown, c) => errorResponse(c, await bodyError(c, thrown), context().log));
  api.use(async (c, next) => {
    c.req.json = async <T>() => parseExact(await readUtf8(c.req), "data") as T;
    await next();
  });

  const db = () => context().records.db;
  const group: ApiGroup<HttpServices> = {
    api,
    context,
    participant: (c) => identifyParticipant(context().webapp, bearerKey(c)),
    viewer: async (c) => (bearerKey(c) ? context().webapp.identify(bearerKey(c)) : null),
  };

  api.openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "Get the broker's version and instance",
      responses: answers(
        z.object({ service: z.literal("crowdai"), version: z.string(), instance: z.string() }),
        "The broker",
      ),
    }),
    async (c) => c.json({ service: "crowdai" as const, version, instance: await readInstance(db()) }, 200),
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/me",
      summary: "Get the participant that a key belongs to",
      description: "The error for an organizer's key (not_allowed) names the organizer in its details.",
      security: withKey,
      responses: answers(
        z.object({
          participant: z.object({ id: z.number().int(), name: z.string() }),
          agreed: z.boolean(),
          member: z.string().optional().describe("The member of a team whose key this is."),
          keys: z.array(keySchema).describe("The keys of the participant that work, oldest first."),
          session: z
            .object({ issuer: z.string(), repository: z.string(), ref: z.string(), expires_at: z.string() })
            .optional(),
        }),
        "The participant",
      ),
    }),
    async (c) => {
      const caller = await context().webapp.identify(bearerKey(c));
      const { kind, id, name, session } = caller;
      if (kind === "organizer")
        requireParticipant(caller, { organizer: { id, name, challenges: await challengesOf(db(), id) } });
      const keys = session ? [] : await listKeys(db(), id);
      return c.json(
        {
          participant: { id, name },
          agreed: await hasAgreed(db(), caller),
          ...(caller.member === undefined ? {} : { member: caller.member }),
          keys: keys
            .filter(({ revoked_at }) => revoked_at === null)
            .map(({ label, member, created_at, last_used_at, hash }) => ({
              ...{ label, member, created_at, last_used_at },
              current: hash === caller.keyHash,
            })),
          ...(session ? { session } : {}),
        },
        200,
      );
    },
  );

  challengeRoutes(group);
  submissionRoutes(group, nextEvent);
  agentSessionRoutes(group);
  organizerRoutes(group);
  agreementRoutes(group);
  ciRoutes(group);
  deviceLoginRoutes(group);
  joinRoutes(group);
  profileRoutes(group);
  publishingRoutes(group, code);
  selectionRoutes(group);
  artifactRoutes(group, reader);
  return api;
}
