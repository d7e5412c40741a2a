import { codeDiffSchema, codePlaceSchema, submissionSchema } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import type { CodeNeeds } from "../../background/code-services.ts";
import { diffCode } from "../../background/published-code/code-diff.ts";
import { codePlace, findReadableCode } from "../../background/published-code/readable-code.ts";
import { type PublishChoiceNeeds, setPublish } from "../../domain/submissions/set-publish.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { senderName } from "../requests/request-address.ts";
import { type ApiGroup, answers, idParam, keyOptional, withKey } from "./api-shapes.ts";

/** Publish requests, and access to the code of submissions. */
export function publishingRoutes(
  { api, context, participant, viewer }: ApiGroup<PublishChoiceNeeds & HttpNeeds<"trustedProxies">>,
  code: () => CodeNeeds<"repositories" | "host" | "kind">,
): void {
  for (const publish of [true, false])
    api.openapi(
      createRoute({
        method: "post",
        path: publish ? "/submissions/{id}/publish" : "/submissions/{id}/unpublish",
        summary: publish
          ? "Publish a submission's code and models when the challenge closes"
          : "Withdraw a submission from publication, until the challenge closes",
        description: publish
          ? "Requires an agreement to the license. If the challenge has closed already, they become public immediately and permanently."
          : "Fails once the challenge has closed.",
        security: withKey,
        request: { params: idParam },
        responses: answers(submissionSchema, "The submission"),
      }),
      async (c) =>
        c.json(await setPublish(context(), await participant(c), c.req.valid("param").id, publish), 200),
    );

  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions/{id}/code",
      summary: "Get the clone address of a submission's code: yours, or published",
      security: keyOptional,
      request: { params: idParam },
      responses: answers(codePlaceSchema, "Where the code is"),
    }),
    async (c) => {
      const found = await findReadableCode(context().records.db, await viewer(c), c.req.valid("param").id);
      const { host, kind } = code();
      return c.json(codePlace(found, { host, kind, baseUrl: context().baseUrl() }), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/submissions/{id}/diff/{to}",
      summary: "Compare the code of two submissions, each yours or published",
      security: keyOptional,
      request: { params: idParam.extend({ to: z.string().max(100) }) },
      responses: answers(codeDiffSchema, "The changes"),
    }),
    async (c) => {
      const caller = await viewer(c);
      const { id, to } = c.req.valid("param");
      const { db } = context().records;
      const [before, after] = [
        await findReadableCode(db, caller, id),
        await findReadableCode(db, caller, to),
      ];
      const difference = await diffCode(code().repositories, before, after, {
        signal: c.req.raw.signal,
        reader: senderName(c, caller, context().trustedProxies),
      });
      return c.json(difference, 200);
    },
  );
}
