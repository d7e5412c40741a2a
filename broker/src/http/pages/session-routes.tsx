import { asCrowdaiError, CrowdaiError, type ErrorCode } from "@crowdai/shared";
import { Hono } from "hono";
import { requireOwnKey } from "../../domain/participants/api-keys.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { requestAddress } from "../requests/request-address.ts";
import { localPath } from "./local-path.ts";
import type { PageContext } from "./page-context.ts";
import { readForm } from "./read-form.ts";
import { foreignForm } from "./same-origin.ts";
import { cookieScope } from "./session/cookie-scope.ts";
import { isFormToken } from "./session/sessions.ts";
import { SignIn } from "./sign-in.tsx";
import { asTheme, storeTheme } from "./theme.ts";

/** Errors after which the same key may work later. */
const MAY_PASS_LATER: ReadonlySet<ErrorCode> = new Set(["too_many_requests", "webapp_away"]);

/** Routes to sign in with a key, to sign out, and to choose a theme. */
export function sessionRoutes({
  context,
  sessions,
  signInLimiter,
  renderPage,
}: PageContext<HttpNeeds<"webapp" | "baseUrl" | "trustedProxies">>): Hono {
  const routes = new Hono();

  routes.get("/sign-in", async (c) => {
    const visit = await sessions.read(c);
    const next = localPath(c.req.query("next"));
    if (visit.caller) return c.redirect(next, 303);
    return renderPage(c, visit, { title: "Sign in" }, <SignIn next={next} />);
  });

  routes.post("/sign-in", async (c) => {
    const form = await readForm(c);
    const next = localPath(form.next);
    const address = requestAddress(c, context().trustedProxies);
    try {
      await signInLimiter.admit(address);
      const key = typeof form.key === "string" ? form.key.trim() : "";
      const caller = requireOwnKey(await context().webapp.identify(key));
      await sessions.begin(c, caller);
      return c.redirect(next, 303);
    } catch (thrown) {
      const failed = asCrowdaiError(thrown);
      const isSession = failed.code === "not_allowed";
      if (failed.row.http !== 401 && !MAY_PASS_LATER.has(failed.code) && !isSession) throw thrown;
      if (failed.row.http === 401) await signInLimiter.note(address);
      if (failed.details?.seconds) c.header("retry-after", String(failed.details.seconds));
      const shown =
        failed.code === "key_unknown"
          ? new CrowdaiError("key_unknown", undefined, { next: "Ask the organizer for a key." })
          : failed.code === "no_key"
            ? new CrowdaiError("no_key", "Enter your API key.", { next: "Get one from the organizer." })
            : failed;
      const status = failed.row.http as 401 | 403 | 429 | 503;
      const visit = { caller: null, formToken: "" };
      return renderPage(c, visit, { title: "Sign in", status }, <SignIn next={next} failed={shown} />);
    }
  });

  routes.post("/sign-out", async (c) => {
    const visit = await sessions.read(c);
    // A session that has ended has nothing left to protect.
    if (visit.caller && !isFormToken((await readForm(c)).token, visit)) throw foreignForm();
    await sessions.end(c);
    return c.redirect("/", 303);
  });

  routes.post("/theme", async (c) => {
    const form = await readForm(c);
    storeTheme(c, asTheme(form.theme), cookieScope(context()));
    return c.redirect(localPath(form.next), 303);
  });
  return routes;
}
