import { MAX_MESSAGE_BYTES } from "@crowdai/shared";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { requestError } from "../requests/request-error.ts";
import { readParameters } from "./parameters.ts";
import { submitFromWebForm, type WebFormNeeds } from "./web-form.ts";
import { Refusal } from "./webapp-errors.ts";

const FIELDS = ["grader_api_key", "api_key", "challenge_client_name", "function_name", "dry_run", "data"];

/**
 * The route by which an external webapp requests a grade for an upload of its web form. It counts only 200 as
 * success.
 */
export function webFormRoutes(context: () => WebFormNeeds, token: string, log: Logger): Hono {
  const routes = new Hono();
  routes.post("/enqueue_grading_job", bodyLimit({ maxSize: MAX_MESSAGE_BYTES }), async (c) => {
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
      const error = requestError(c, thrown);
      const isRefusal = thrown instanceof Refusal;
      const message = isRefusal ? thrown.message : error.message;
      const status = isRefusal ? 400 : (error.row.http as ContentfulStatusCode);
      log.warn(
        { event: "web_form_submission_failed", code: error.code, reason: message },
        "web form submission failed",
      );
      return c.json({ response_type: "CrowdAI.Event.ERROR", message, data: {} }, status);
    }
  });
  return routes;
}
