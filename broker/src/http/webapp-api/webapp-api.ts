import { MAX_MESSAGE_BYTES } from "@crowdai/shared";
import { Hono } from "hono";
import type { Logger } from "pino";
import type { Needs } from "../../domain/submissions/services.ts";
import { bodyLimit } from "../requests/body-limit.ts";
import { readManager } from "./callers.ts";
import { assignNumbers } from "./challenge-numbers.ts";
import { graderRoutes } from "./grader-routes.ts";
import { headerKey } from "./header-key.ts";
import { listRoutes } from "./list-routes.ts";
import { readParameters } from "./parameters.ts";
import { answer, failureResponse, notFoundResponse } from "./responses.ts";
import type { WebappGroup } from "./webapp-group.ts";
import { webappPath } from "./webapp-path.ts";

/** The services that the API uses. */
type WebappApiNeeds = Needs<
  "records" | "catalog" | "clock" | "objects" | "announce" | "queue" | "log" | "baseUrl"
>;

/**
 * The REST API of the original webapp, for graders and clients that were written for it. docs/webapp-api.md
 * lists the differences. Takes the requests that webappPath recognizes.
 */
export function webappApi(options: {
  context: () => WebappApiNeeds;
  /** The key with access to everything; null when there is none. */
  adminKey: string | null;
  /** Serves upload addresses at `…/presign`; absent when older clients are refused. */
  presign?: Hono | undefined;
  log: Logger;
}): Hono {
  const { context, adminKey, presign, log } = options;
  const api = new Hono({ getPath: (request) => webappPath(request.url) ?? "/" });
  api.onError((error, c) => failureResponse(c, error, log));
  api.notFound(notFoundResponse);
  api.use(
    bodyLimit({
      maxSize: MAX_MESSAGE_BYTES,
      onError(c) {
        // The rest of the body is not read, so the connection cannot serve another request.
        c.header("connection", "close");
        return answer(c, 413, { message: `A request may have at most ${MAX_MESSAGE_BYTES} bytes.` });
      },
    }),
  );
  const numbered = new WeakSet<object>();
  api.use(async (_, next) => {
    // The catalog makes a new map when a challenge changes.
    const challenges = context().catalog.all();
    if (!numbered.has(challenges)) await assignNumbers(context());
    numbered.add(challenges);
    await next();
  });

  const group: WebappGroup<WebappApiNeeds> = {
    context,
    manager: (c) => readManager(context().records.db, adminKey, headerKey(c.req.header("authorization"))),
    parameters: (c) => readParameters(c.req.raw),
  };
  graderRoutes(api, group);
  listRoutes(api, group);
  if (presign) api.route("/", presign);
  return api;
}
