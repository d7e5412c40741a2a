import { CrowdaiError } from "@crowdai/shared";
import { Hono } from "hono";
import { type Caller, requireOwnKey, requireParticipant } from "../../domain/participants/api-keys.ts";
import {
  confirmDeviceLogin,
  findDeviceLogin,
  refuseDeviceLogin,
} from "../../domain/participants/device-logins.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { requestAddress } from "../requests/request-address.ts";
import { DeviceAnswered, DevicePage } from "./device.tsx";
import type { PageContext } from "./page-context.ts";
import { readForm } from "./read-form.ts";
import { foreignForm } from "./same-origin.ts";
import { isFormToken } from "./session/sessions.ts";

const WRONG_CODES = { points: 10, seconds: 10 * 60 };

/** Routes on which a signed-in participant confirms the sign-in of a command line. */
export function devicePages({
  context,
  sessions,
  renderPage,
}: PageContext<HttpNeeds<"records" | "clock" | "log" | "trustedProxies" | "createRateLimiter">>): Hono {
  const routes = new Hono();
  let limiter: ReturnType<HttpNeeds<"createRateLimiter">["createRateLimiter"]> | undefined;

  /** Returns the waiting sign-in. Throws too_many_requests after ten wrong codes of an address. */
  async function find(code: string, address: string) {
    limiter ??= context().createRateLimiter("device-codes", WRONG_CODES);
    const seen = await limiter.get(address);
    if (seen && seen.consumedPoints >= WRONG_CODES.points)
      throw new CrowdaiError("too_many_requests", "Your address sent too many wrong codes.", {
        next: `Try again in ${Math.ceil(seen.msBeforeNext / 60_000)} min.`,
      });
    const found = await findDeviceLogin(context().records.db, code, context().clock());
    if (!found) await limiter.penalty(address);
    return found;
  }
  const owner = (caller: Caller) => requireOwnKey(requireParticipant(caller));

  routes.get("/device", async (c) => {
    const visit = await sessions.read(c);
    const code = c.req.query("code") ?? "";
    if (!visit.caller) {
      const next = code ? `/device?code=${encodeURIComponent(code)}` : "/device";
      return c.redirect(`/sign-in?next=${encodeURIComponent(next)}`, 303);
    }
    owner(visit.caller);
    const login = code ? await find(code, requestAddress(c, context().trustedProxies)) : null;
    const problem = code && !login ? "No sign-in is waiting for this code. It may have expired." : null;
    const status = problem ? 422 : 200;
    const page = <DevicePage visit={visit} login={login} problem={problem} />;
    return renderPage(c, visit, { title: "Confirm a sign-in", status }, page);
  });

  routes.post("/device", async (c) => {
    const visit = await sessions.read(c);
    if (!visit.caller) throw new CrowdaiError("no_key");
    const form = await readForm(c);
    if (!isFormToken(form.token, visit)) throw foreignForm();
    const caller = owner(visit.caller);
    const code = typeof form.code === "string" ? form.code : "";
    const login = await find(code, requestAddress(c, context().trustedProxies));
    const { db } = context().records;
    const isConfirmed =
      login !== null && form.answer === "confirm" && (await confirmDeviceLogin(db, login, caller));
    if (login && form.answer === "refuse") await refuseDeviceLogin(db, login);
    if (isConfirmed)
      context().log.info(
        { event: "device_login_confirmed", participant: caller.id },
        "device login confirmed",
      );
    const page = login ? (
      <DeviceAnswered isConfirmed={isConfirmed} />
    ) : (
      <DevicePage
        visit={visit}
        login={null}
        problem="No sign-in is waiting for this code. It may have expired."
      />
    );
    return renderPage(c, visit, { title: "Confirm a sign-in", status: login ? 200 : 422 }, page);
  });
  return routes;
}
