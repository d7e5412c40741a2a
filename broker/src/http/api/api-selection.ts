import { submissionSchema } from "@crowdai/shared";
import { createRoute } from "@hono/zod-openapi";
import { type SelectionNeeds, selectFinal } from "../../domain/submissions/select-final.ts";
import { type ApiGroup, answers, idParam, withKey } from "./api-shapes.ts";

/** The participants' selection of submissions for the final ranking of a round. */
export function selectionRoutes({ api, context, participant }: ApiGroup<SelectionNeeds>): void {
  for (const selected of [true, false])
    api.openapi(
      createRoute({
        method: "post",
        path: selected ? "/submissions/{id}/select" : "/submissions/{id}/unselect",
        summary: selected
          ? "Select a submission for the final ranking of its round"
          : "Remove a submission from your selection",
        description: selected
          ? "Without a selection, your best public submissions count. Fails once the round has ended, and when as many are selected as the challenge allows."
          : "Fails once the round has ended.",
        security: withKey,
        request: { params: idParam },
        responses: answers(submissionSchema, "The submission"),
      }),
      async (c) =>
        c.json(await selectFinal(context(), await participant(c), c.req.valid("param").id, selected), 200),
    );
}
