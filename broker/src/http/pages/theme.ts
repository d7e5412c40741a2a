import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { CookieScope } from "./session/cookie-scope.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const COOKIE = "crowdai_theme";
const YEAR = 365 * 24 * 3600;

export const readTheme = (c: Context): Theme => asTheme(getCookie(c, COOKIE));
export const asTheme = (value: unknown): Theme => THEMES.find((theme) => theme === value) ?? "system";

export function storeTheme(c: Context, theme: Theme, scope: CookieScope): void {
  setCookie(c, COOKIE, theme, { ...scope, httpOnly: true, sameSite: "Lax", maxAge: YEAR });
}
