import { CrowdaiError } from "@crowdai/shared";
import { type Context, Hono } from "hono";
import { type Caller, requireOwnKey } from "../../domain/participants/api-keys.ts";
import { join, readJoinLink } from "../../domain/participants/join-links.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { joinLimiter } from "../requests/join-limiter.ts";
import { requestAddress } from "../requests/request-address.ts";
import { JoinedPage, JoinPage } from "./join.tsx";
import type { PageContext } from "./page-context.ts";
import { readForm } from "./read-form.ts";
import { foreignForm } from "./same-origin.ts";
import { isFormToken } from "./session/sessions.ts";

/** The page of a join link. Its path holds the code, so it sends no referrer and is not stored. */
export function joinPages({
  context,
  sessions,
  renderPage,
}: PageContext<
  HttpNeeds<
    "records" | "catalog" | "clock" | "log" | "webapp" | "baseUrl" | "trustedProxies" | "createRateLimiter"
  >
>): Hono {
  const routes = new Hono();
  const limits = () => joinLimiter(context().createRateLimiter);
  const titled = (ids: readonly string[]) =>
    ids.map((id) => ({ id, title: context().catalog.all().get(id)?.config.title ?? id }));
  const addressOf = (c: Context) => requestAddress(c, context().trustedProxies);
  const read = (c: Context, code: string) => {
    if (!context().webapp.issuesKeys) throw new CrowdaiError("login_unavailable");
    return limits().guard(addressOf(c), () => readJoinLink(context().records.db, code, context().clock()));
  };

  routes.get("/join/:code", async (c) => {
    c.header("cache-control", "no-store");
    const visit = await sessions.read(c);
    const code = c.req.param("code");
    const { challenges } = await read(c, code);
    const page = <JoinPage visit={visit} path={`/join/${code}`} challenges={titled(challenges)} />;
    return renderPage(c, visit, { title: "Join" }, page);
  });

  routes.post("/join/:code", async (c) => {
    c.header("cache-control", "no-store");
    const code = c.req.param("code");
    const visit = await sessions.read(c);
    const form = await readForm(c);
    const caller = visit.caller?.kind === "participant" ? requireOwnKey(visit.caller) : null;
    if (caller && !isFormToken(form.token, visit)) throw foreignForm();
    const name = typeof form.name === "string" ? form.name.trim() : "";
    const { challenges } = await read(c, code);
    try {
      if (!caller) await limits().admit(addressOf(c));
      const who: { participant: Caller } | { name: string } = caller ? { participant: caller } : { name };
      const { records, clock, log, webapp, baseUrl } = context();
      const joined = await join(records, code, who, clock());
      log.info({ event: "participant_joined", participant: joined.participant.id }, "participant joined");
      const now = joined.key === null ? visit : await sessions.begin(c, await webapp.identify(joined.key));
      const page = <JoinedPage joined={joined} challenges={titled(joined.challenges)} broker={baseUrl()} />;
      return renderPage(c, now, { title: "Joined" }, page);
    } catch (failed) {
      if (!(failed instanceof CrowdaiError) || !["name_taken", "usage"].includes(failed.code)) throw failed;
      const page = (
        <JoinPage
          visit={visit}
          path={`/join/${code}`}
          challenges={titled(challenges)}
          name={name}
          failed={failed}
        />
      );
      return renderPage(c, visit, { title: "Join", status: 422 }, page);
    }
  });
  return routes;
}
