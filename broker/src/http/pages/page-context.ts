import type { CodeNeeds } from "../../background/code-services.ts";
import type { HttpServices } from "../requests/http-services.ts";
import type { RenderPage } from "./render-page.tsx";
import type { Sessions } from "./session/sessions.ts";
import type { SignInLimiter } from "./session/sign-in-limiter.ts";

/** What the pages are made with. Made once, in pages.tsx. */
export interface PageContext<N = unknown> {
  context: () => N;
  sessions: Sessions;
  signInLimiter: SignInLimiter;
  renderPage: RenderPage;
  /** Resolves at a submission's next event, or when the signal ends the wait. */
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
  code: () => CodeNeeds<"records" | "log" | "baseUrl" | "repositories" | "host" | "kind">;
}

/** Whether browsers reach this broker over https, so that its cookies must be `Secure`. */
export const isSecure = ({ baseUrl }: Pick<HttpServices, "baseUrl">) => baseUrl().startsWith("https:");
