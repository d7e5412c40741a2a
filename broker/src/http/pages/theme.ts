import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const COOKIE = "crowdai_theme";
const YEAR = 365 * 24 * 3600;

export const readTheme = (c: Context): Theme => asTheme(getCookie(c, COOKIE));
export const asTheme = (value: unknown): Theme => THEMES.find((theme) => theme === value) ?? "system";

export function storeTheme(c: Context, theme: Theme, secure: boolean): void {
  setCookie(c, COOKIE, theme, { path: "/", httpOnly: true, sameSite: "Lax", secure, maxAge: YEAR });
}

/** A path of this broker to go back to; "/" for whatever is none. */
export function localPath(value: unknown): string {
  if (typeof value !== "string" || value.length > 500 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return "/";
  const url = new URL(value, "http://broker.invalid");
  return url.host === "broker.invalid" ? url.pathname + url.search + url.hash : "/";
}
