import { CrowdaiError } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { requireOwnKey, requireParticipant } from "../../domain/participants/api-keys.ts";
import { join } from "../../domain/participants/join-links.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { joinLimiter } from "../requests/join-limiter.ts";
import { requestAddress } from "../requests/request-address.ts";
import { type ApiGroup, answers, body, keyOptional } from "./api-shapes.ts";

/** Joining by a link: with a name as a new participant, or with the key of one. */
export function joinRoutes({
  api,
  context,
  viewer,
}: ApiGroup<
  HttpNeeds<"records" | "clock" | "log" | "webapp" | "trustedProxies" | "createRateLimiter">
>): void {
  api.openapi(
    createRoute({
      method: "post",
      path: "/join",
      summary: "Join by the code of a link",
      description:
        "Without a key, makes a participant with this name and returns its key, once. With a participant's key, invites that participant to the link's challenges.",
      security: keyOptional,
      request: {
        body: body(
          z.object({ code: z.string().min(1).max(100), name: z.string().min(1).max(200).optional() }),
        ),
      },
      responses: answers(
        z.object({
          participant: z.object({ id: z.number().int(), name: z.string() }),
          key: z.string().nullable().describe("The key of a new participant."),
          challenges: z.array(z.string()).describe("The challenges that the link invites to."),
        }),
        "The participant",
      ),
    }),
    async (c) => {
      const { records, clock, log, webapp, trustedProxies, createRateLimiter } = context();
      if (!webapp.issuesKeys) throw new CrowdaiError("login_unavailable");
      const caller = await viewer(c);
      const { code, name } = c.req.valid("json");
      if (!caller && name === undefined)
        throw new CrowdaiError("usage", "Send a name, or a participant's key.");
      const who = caller
        ? { participant: requireOwnKey(requireParticipant(caller)) }
        : { name: name as string };
      const address = requestAddress(c, trustedProxies);
      const joined = await joinLimiter(createRateLimiter).guard(address, async () => {
        if (!caller) await joinLimiter(createRateLimiter).admit(address);
        return join(records, code, who, clock());
      });
      log.info({ event: "participant_joined", participant: joined.participant.id }, "participant joined");
      c.header("cache-control", "no-store");
      return c.json(joined, 200);
    },
  );
}
