import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { deleteCookie, getCookie, setSignedCookie } from "hono/cookie";
import type { Clock } from "../../../base/clock.ts";
import type { Caller } from "../../../domain/participants/api-keys.ts";
import type { Webapp } from "../../../domain/webapp/webapp.ts";
import type { Remember } from "../../../records/read-memory.ts";
import type { Db } from "../../../records/records.ts";
import { readSecret } from "../../../records/secret.ts";
import { lookup } from "../../../records/statement.ts";
import type { CookieScope } from "./cookie-scope.ts";

export const SESSION_SECONDS = 8 * 3600;
const COOKIE = "crowdai_session";

/** The reader of a page, and the token that their forms must carry. */
export interface Visit {
  caller: Caller | null;
  /** Empty without a session. */
  formToken: string;
}

/**
 * Browser sessions. The cookie holds a random session id and nothing of the key. The records tie the session
 * to its key, so that it ends with the key at every broker: immediately, or when an external webapp is asked
 * again.
 */
export function createSessions({
  db,
  clock,
  webapp,
  scope,
}: {
  db: () => Db;
  clock: Clock;
  webapp: () => Pick<Webapp, "remember" | "recall">;
  scope: () => CookieScope;
}) {
  let known: Promise<string> | null = null;
  const secret = () => {
    known ??= readSecret(db(), "page_session_secret").catch((error) => {
      known = null;
      throw error;
    });
    return known;
  };
  const now = () => clock().toISOString();

  async function formToken(id: string): Promise<string> {
    return createHmac("sha256", await secret())
      .update(`form:${id}`)
      .digest("base64url");
  }

  /**
   * Returns the session id of the cookie, when its signature is right. `getSignedCookie` of Hono takes a
   * thread for that.
   */
  async function signedId(c: Context): Promise<string | null> {
    const value = getCookie(c, COOKIE) ?? "";
    const end = value.lastIndexOf(".");
    if (end <= 0) return null;
    const id = value.slice(0, end);
    const signature = createHmac("sha256", await secret())
      .update(id)
      .digest("base64");
    return isEqual(value.slice(end + 1), signature) ? id : null;
  }

  return {
    /**
     * Returns who the cookie belongs to; `caller` is null when it was changed or expired, or its key was
     * revoked. The session is read through `remember`, if given.
     */
    async read(c: Context, remember: Remember = readAgain): Promise<Visit> {
      const anonymous = { caller: null, formToken: "" };
      const id = await signedId(c);
      if (!id) return anonymous;
      const hash = digest(id);
      const session = await remember(findSession, [hash], () => findSession(db(), { hash }));
      if (!session || session.expires_at <= now()) return anonymous;
      const caller = await webapp()
        .recall(session.kept_key)
        .catch(() => null);
      return caller ? { caller, formToken: await formToken(id) } : anonymous;
    },

    async begin(c: Context, caller: Caller): Promise<Visit> {
      await this.end(c);
      await db().deleteFrom("page_sessions").where("expires_at", "<=", now()).execute();
      const id = randomBytes(32).toString("base64url");
      const expires = new Date(clock().getTime() + SESSION_SECONDS * 1000);
      await db()
        .insertInto("page_sessions")
        .values({
          hash: digest(id),
          kept_key: webapp().remember(caller),
          created_at: now(),
          expires_at: expires.toISOString(),
        })
        .execute();
      await setSignedCookie(c, COOKIE, id, await secret(), {
        ...scope(),
        httpOnly: true,
        sameSite: "Lax",
        maxAge: SESSION_SECONDS,
      });
      return { caller, formToken: await formToken(id) };
    },

    async end(c: Context): Promise<void> {
      const id = await signedId(c);
      if (id) await db().deleteFrom("page_sessions").where("hash", "=", digest(id)).execute();
      deleteCookie(c, COOKIE, { path: scope().path });
    },
  };
}

const findSession = lookup((db, { hash }: { hash: string }) =>
  db.selectFrom("page_sessions").select(["kept_key", "expires_at"]).where("hash", "=", hash),
);

const readAgain: Remember = (_about, _of, read) => read();

export type Sessions = ReturnType<typeof createSessions>;

/** Whether a form was sent from a page of this session. */
export function isFormToken(given: unknown, { formToken }: Visit): boolean {
  if (typeof given !== "string" || formToken === "") return false;
  return isEqual(given, formToken);
}

/** Compares secrets in a time that depends on their lengths only. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const digest = (id: string) => createHash("sha256").update(id).digest("hex");
