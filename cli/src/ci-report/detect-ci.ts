import { isGithubActions } from "../terminal/workflow-command.ts";
import type { ReportFlags } from "./flags.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The CI systems that get a report of their own. */
export type CiSystem = "github" | "gitlab";

/** The commands whose outcome is worth a report. */
const REPORTED = ["submit", "run", "evaluate", "watch", "check"];

/** Returns the CI system that runs this command; null outside of one, with --no-ci, and with CROWDAI_CI=0. */
export function detectCi(env: Env, { ci }: Pick<ReportFlags, "ci"> = {}): CiSystem | null {
  if (ci === false || ["0", "false", "no", "off"].includes(env.CROWDAI_CI?.toLowerCase() ?? "")) return null;
  if (isGithubActions(env)) return "github";
  return env.GITLAB_CI === "true" ? "gitlab" : null;
}

/** Whether a command writes a report: in a CI system, or where a flag names a file for it. */
export function writesReport(command: string, system: CiSystem | null, flags: ReportFlags): boolean {
  const { comment, junit, metrics } = flags;
  return REPORTED.includes(command) && (system !== null || Boolean(comment || junit || metrics));
}
