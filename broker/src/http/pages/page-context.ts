import type { CodeNeeds } from "../../background/code-services.ts";
import type { Renderer } from "./render-page.tsx";
import type { Sessions } from "./session/sessions.ts";
import type { SignInLimiter } from "./session/sign-in-limiter.ts";

/** The services that pages are made with. Created once, in pages.tsx. */
export interface PageContext<N = unknown> extends Renderer {
  context: () => N;
  sessions: Sessions;
  signInLimiter: SignInLimiter;
  /** Resolves at a submission's next event, or when the signal ends the wait. */
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
  code: () => CodeNeeds<"records" | "log" | "baseUrl" | "repositories" | "host" | "kind">;
}
