import type { CodePlace } from "@crowdai/shared";
import type { SubmissionServices } from "../domain/submissions/services.ts";
import type { CodeHost } from "./code-hosts/code-host.ts";
import type { PublicRepositories } from "./published-code/public-repositories.ts";
import type { Repositories } from "./repositories/repositories.ts";

/** What the life of code is given, composed once at startup. A function asks for what it uses with `CodeNeeds`. */
export interface CodeServices extends SubmissionServices {
  repositories: Repositories;
  /** What was published, in repositories of its own. */
  publicRepositories: PublicRepositories;
  host: CodeHost;
  /** Which kind of host that is, for clients. */
  kind: CodePlace["host"];
}

export type CodeNeeds<K extends keyof CodeServices> = Pick<CodeServices, K>;
