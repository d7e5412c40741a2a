import type { TrustedProxies } from "../../base/client-address.ts";
import type { SubmissionServices } from "../../domain/submissions/services.ts";

/** What the routes are given, composed once at startup. A group of routes asks for what it uses with `HttpNeeds`. */
export interface HttpServices extends SubmissionServices {
  /** Proxies whose statement of a client's address counts. */
  trustedProxies: TrustedProxies;
}

export type HttpNeeds<K extends keyof HttpServices> = Pick<HttpServices, K>;
