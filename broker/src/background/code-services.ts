import type { CodePlace } from "@crowdai/shared";
import type { SubmissionServices } from "../domain/submissions/services.ts";
import type { CodeHost } from "./code-hosts/code-host.ts";
import type { PublicRepositories } from "./published-code/public-repositories.ts";
import type { Repositories } from "./repositories/repositories.ts";

/**
 * The services that code needs, composed once at startup. A function asks for those that it uses with
 * `CodeNeeds`.
 */
export interface CodeServices extends SubmissionServices {
  repositories: Repositories;
  /** Published code, in repositories of its own. */
  publicRepositories: PublicRepositories;
  host: CodeHost;
  /** Which kind of host that is, for clients. */
  kind: CodePlace["host"];
}

export type CodeNeeds<K extends keyof CodeServices> = Pick<CodeServices, K>;
