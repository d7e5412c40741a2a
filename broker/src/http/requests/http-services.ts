import type { CiTokens } from "../../background/ci-issuers/ci-tokens.ts";
import type { PictureMaker } from "../../background/media/picture-maker.ts";
import type { TrustedProxies } from "../../base/client-address.ts";
import type { CreateRateLimiter } from "../../base/rate-limits.ts";
import type { RemoteAgents } from "../../domain/sessions/remote-agents.ts";
import type { SubmissionServices } from "../../domain/submissions/services.ts";

/**
 * Services of the routes, composed once at startup. A group of routes names what it uses with `HttpNeeds`.
 */
export interface HttpServices extends SubmissionServices {
  /** Proxies that are trusted to report a client's address. */
  trustedProxies: TrustedProxies;
  /** Where the requests of remote agents come in. */
  agents: RemoteAgents;
  /** Checks the tokens of CI jobs. `sessionMs` is how long the session lasts that a job gets for one. */
  ci: CiTokens & { sessionMs: number };
  createRateLimiter: CreateRateLimiter;
  pictures: PictureMaker;
}

export type HttpNeeds<K extends keyof HttpServices> = Pick<HttpServices, K>;
