import type { CodePlace } from "@crowdai/shared";
import type { SubmissionContext } from "../../domain/submissions/context.ts";
import type { CodeHost } from "../code-hosts/code-host.ts";
import type { PublicRepositories } from "../published-code/public-repositories.ts";
import type { Repositories } from "./repositories.ts";

/** What the life of code needs. Made once, in broker.ts. */
export interface CodeContext {
  submissions: SubmissionContext;
  repositories: Repositories;
  /** What was published, in repositories of its own. */
  publicRepositories: PublicRepositories;
  host: CodeHost;
  /** Which kind of host that is, for clients. */
  kind: CodePlace["host"];
}
