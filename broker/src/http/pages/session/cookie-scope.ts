import { basePathOf } from "../../../base/base-path.ts";
import type { HttpNeeds } from "../../requests/http-services.ts";

/**
 * Returns the settings of a cookie that goes to this broker only, and only over https where browsers reach it
 * so.
 */
export const cookieScope = ({ baseUrl }: HttpNeeds<"baseUrl">) => ({
  path: basePathOf(baseUrl()) || "/",
  secure: baseUrl().startsWith("https:"),
});
export type CookieScope = ReturnType<typeof cookieScope>;
