import { asCrowdaiError, MESSAGE_LIMIT } from "@crowdai/shared";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { readParameters } from "./parameters.ts";
import { submitFromWebForm, type WebFormNeeds } from "./web-form.ts";
import { Refusal } from "./webapp-errors.ts";

const FIELDS = ["grader_api_key", "api_key", "challenge_client_name", "function_name", "dry_run", "data"];

/** Where a webapp elsewhere asks to have graded what was uploaded in its own web form; it counts 200, and nothing else, as done. */
export function webFormRoutes(context: () => WebFormNeeds, token: string, log: Logger): Hono {
  const routes = new Hono();
  routes.post("/enqueue_grading_job", bodyLimit({ maxSize: MESSAGE_LIMIT }), async (c) => {
    try {
      const sent = await readParameters(c.req.raw);
      await submitFromWebForm(
        context(),
        token,
        Object.fromEntries(FIELDS.map((name) => [name, sent.raw(name)])),
      );
      return c.json({
        response_type: "CrowdAI.Event.SUCCESS",
        message: "Successfully enqueued 1 Job",
        data: {},
      });
    } catch (thrown) {
      const error = asCrowdaiError(thrown);
      const isRefusal = thrown instanceof Refusal;
      const message = isRefusal ? thrown.message : error.message;
      const status = isRefusal ? 400 : (error.row.http as ContentfulStatusCode);
      log.warn({ code: error.code, reason: message }, "a file of the webapp's web form was not handed in");
      return c.json({ response_type: "CrowdAI.Event.ERROR", message, data: {} }, status);
    }
  });
  return routes;
}
