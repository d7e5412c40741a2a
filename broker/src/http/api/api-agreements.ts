import { agreementSchema, licenseSchema } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { agree, agreementUrl, findAgreement, listAgreements } from "../../domain/agreements/agreements.ts";
import { MIT_DIGEST, MIT_TEXT } from "../../domain/agreements/mit-license.ts";
import { requireOwnKey } from "../../domain/participants/api-keys.ts";
import type { AgreementRow } from "../../records/tables.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { requestAddress } from "../requests/request-address.ts";
import { type ApiGroup, answers, body, withKey } from "./api-shapes.ts";

/** The license for published code, and the agreements to it. */
export function agreementRoutes({
  api,
  context,
  participant,
}: ApiGroup<HttpNeeds<"records" | "clock" | "baseUrl" | "trustedProxies">>): void {
  api.openapi(
    createRoute({
      method: "get",
      path: "/agreements",
      summary: "List your agreements: text, time, IP address and client",
      security: withKey,
      responses: answers(z.object({ agreements: z.array(agreementSchema) }), "Your agreements, oldest first"),
    }),
    async (c) => {
      const caller = await participant(c);
      const rows = await listAgreements(context().records.db, caller);
      return c.json({ agreements: rows.map(view) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/agreements/mit",
      summary: "Get the license text that publishing requires, and your agreement to it",
      security: withKey,
      responses: answers(licenseSchema, "The license text"),
    }),
    async (c) => {
      const caller = await participant(c);
      const given = await findAgreement(context().records.db, caller);
      return c.json(
        {
          licence: "mit" as const,
          text: MIT_TEXT,
          digest: MIT_DIGEST,
          url: agreementUrl(context().baseUrl()),
          agreement: given && view(given),
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/agreements/mit",
      summary: "Agree to the license text with this digest",
      description:
        "Call this only for a person who has read the text in a terminal or on a page. A program cannot agree; send its user to the page.",
      security: withKey,
      request: { body: body(z.object({ digest: z.string().max(64), where: z.enum(["terminal", "page"]) })) },
      responses: answers(agreementSchema, "The stored agreement"),
    }),
    async (c) => {
      const caller = requireOwnKey(await participant(c));
      const row = await agree(context(), caller, {
        ...c.req.valid("json"),
        ip: requestAddress(c, context().trustedProxies),
        userAgent: c.req.header("user-agent"),
      });
      return c.json(view(row), 200);
    },
  );
}

const view = (row: AgreementRow) => ({
  licence: row.licence,
  digest: row.text_sha256,
  agreed_at: row.agreed_at,
  ip: row.ip,
  user_agent: row.user_agent,
  where: row.given_at,
});
