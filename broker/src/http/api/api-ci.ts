import { CrowdaiError } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { openCiSession } from "../../domain/ci/ci-sessions.ts";
import { parseSubject, subjectText } from "../../domain/ci/subject.ts";
import { addTrust, issuerName, listTrusts, viewTrust, withdrawTrust } from "../../domain/ci/trusts.ts";
import { requireOwnKey } from "../../domain/participants/api-keys.ts";
import { bearerKey } from "../requests/bearer-key.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { requestAddress } from "../requests/request-address.ts";
import { type ApiGroup, answers, body, keyOptional, withKey } from "./api-shapes.ts";

const MAX_TOKEN = 16_384;
const REFUSED_TOKENS = { points: 60, seconds: 60 };

const trustSchema = z.object({
  subject: z.string(),
  issuer: z.string(),
  repository: z.string(),
  ref: z.string().nullable(),
  environment: z.string().nullable(),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  repository_id: z.string().nullable(),
  owner_id: z.string().nullable(),
  active: z.boolean(),
});
const subjectBody = body(z.object({ subject: z.string().min(1).max(1000) }));

/** Sessions for CI jobs without a stored key, and the trust that participants put in jobs. */
export function ciRoutes({
  api,
  context,
  participant,
}: ApiGroup<HttpNeeds<"records" | "clock" | "ci" | "log" | "trustedProxies" | "createRateLimiter">>): void {
  const requireIssuers = () => {
    if (context().ci.issuers.length === 0) throw new CrowdaiError("ci_unavailable");
  };
  let limiter: ReturnType<HttpNeeds<"createRateLimiter">["createRateLimiter"]> | undefined;
  const refusals = () => {
    limiter ??= context().createRateLimiter("ci-tokens", REFUSED_TOKENS);
    return limiter;
  };

  api.openapi(
    createRoute({
      method: "post",
      path: "/ci/token",
      summary: "Exchange a CI job's ID token for a session",
      description:
        "The token's audience is the broker's address. Its key works like a participant's, for submitting and reading, until it expires. Each token is exchanged once; sent again with the session's key as bearer, it renews the session.",
      security: keyOptional,
      request: {
        body: body(
          z.object({
            token: z.string().min(1).max(MAX_TOKEN),
            participant: z.string().min(1).max(100).optional(),
          }),
        ),
      },
      responses: answers(
        z.object({
          key: z.string(),
          expires_at: z.string(),
          expires_in: z.number().int().openapi({ description: "In seconds" }),
          participant: z.object({ id: z.number().int(), name: z.string() }),
          subject: z.string(),
          repository: z.string(),
          ref: z.string(),
        }),
        "The session",
      ),
    }),
    async (c) => {
      requireIssuers();
      const address = requestAddress(c, context().trustedProxies);
      const seen = await refusals().get(address);
      if (seen && seen.consumedPoints >= REFUSED_TOKENS.points)
        throw new CrowdaiError("too_many_requests", "Your address sent too many invalid tokens.");
      const { token, participant: named } = c.req.valid("json");
      const { records, clock, ci, log } = context();
      try {
        const job = await ci.verify(token);
        const { key, expires_at, participant, trust } = await openCiSession(
          { records, clock, issuers: ci.issuers, sessionMs: ci.sessionMs },
          job,
          { participant: named, renewedKey: bearerKey(c) },
        );
        const subject = subjectText({ ...trust, issuer: issuerName(trust.issuer, ci.issuers) });
        log.info(
          { event: "ci_session_opened", participant: participant.id, subject, ref: job.ref, run: job.run },
          "CI session opened",
        );
        c.header("cache-control", "no-store");
        return c.json(
          {
            key,
            expires_at,
            expires_in: ci.sessionMs / 1000,
            participant,
            subject,
            repository: job.repository,
            ref: job.ref,
          },
          200,
        );
      } catch (error) {
        if (error instanceof CrowdaiError && error.fault === "you") await refusals().penalty(address);
        throw error;
      }
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/ci/trusts",
      summary: "List the CI jobs that you trust",
      security: withKey,
      responses: answers(z.object({ trusts: z.array(trustSchema) }), "Your trusts, oldest first"),
    }),
    async (c) => {
      const { id } = await participant(c);
      const { records, ci } = context();
      return c.json({ trusts: await listTrusts(records.db, id, ci.issuers) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/ci/trusts",
      summary: "Let the CI jobs of a subject act as you",
      description:
        "A subject is `github:owner/repo` or `gitlab:group/project`, optionally with `@<ref>` and `:environment:<name>`.",
      security: withKey,
      request: { body: subjectBody },
      responses: answers(trustSchema, "The trust"),
    }),
    async (c) => {
      requireIssuers();
      const caller = requireOwnKey(await participant(c));
      const { ci, log, trustedProxies } = context();
      const subject = parseSubject(c.req.valid("json").subject, ci.issuers);
      const row = await addTrust(context(), caller, subject, {
        ip: requestAddress(c, trustedProxies),
        userAgent: c.req.header("user-agent"),
      });
      const trust = viewTrust(row, ci.issuers);
      log.info({ event: "ci_trust_added", participant: caller.id, subject: trust.subject }, "CI trust added");
      return c.json(trust, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/ci/trusts/withdraw",
      summary: "Withdraw the trust in a subject and end its sessions",
      security: withKey,
      request: { body: subjectBody },
      responses: answers(z.object({ subject: z.string() }), "The subject, in its full form"),
    }),
    async (c) => {
      const caller = requireOwnKey(await participant(c));
      const { records, clock, ci, log } = context();
      const asked = c.req.valid("json").subject;
      const subject = await withdrawTrust({ records, clock, issuers: ci.issuers }, caller, asked);
      log.info({ event: "ci_trust_withdrawn", participant: caller.id, subject }, "CI trust withdrawn");
      return c.json({ subject }, 200);
    },
  );
}
