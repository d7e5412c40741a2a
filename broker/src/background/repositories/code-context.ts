import type { CodePlace } from "@crowdai/shared";
import type { SubmissionContext } from "../../domain/submissions/context.ts";
import type { CodeHost } from "../code-hosts/code-host.ts";
import type { PublicRepositories } from "../published-code/public-repositories.ts";
import type { Repositories } from "./repositories.ts";

/** What functions that handle code depend on. Created once, by the composition root. */
export interface CodeContext {
  submissions: SubmissionContext;
  repositories: Repositories;
  /** Repositories of published code only. */
  publicRepositories: PublicRepositories;
  host: CodeHost;
  /** The kind of that host, for clients. */
  kind: CodePlace["host"];
}
