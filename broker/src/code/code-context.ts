import type { CodeHost } from "../code-host/code-host.ts";
import type { SubmissionContext } from "../submissions/context.ts";
import type { Repositories } from "./repositories.ts";

/** What the life of code needs. Made once, in broker.ts. */
export interface CodeContext {
  submissions: SubmissionContext;
  repositories: Repositories;
  host: CodeHost;
}
