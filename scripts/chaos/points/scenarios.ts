import { ABOUT_CODE } from "./code.ts";
import { BY_COMMAND } from "./commands.ts";
import { ABOUT_PEOPLE } from "./people.ts";
import { REGRADES } from "./regrades.ts";
import { ABOUT_SUBMISSIONS } from "./submissions.ts";
import type { Scenario } from "./world.ts";

/** The work that needs each step. */
export const SCENARIOS: readonly Scenario[] = [
  ...[...ABOUT_SUBMISSIONS, ...ABOUT_CODE, ...ABOUT_PEOPLE, ...REGRADES, ...BY_COMMAND],
];

const OUTSIDE =
  "the code host of the run is the broker itself; broker/test/code/ ends brokers that use GitLab";
const WEBAPP = "the run has no webapp; broker/test/webapp/ ends what is sent to one at each request";

/** Steps at which the run ends no process, and why. */
export const UNREACHED: Readonly<Record<string, string>> = {
  "channel.append": "the graders of the run are not in the broker's process",
  "channel.remove": "the graders of the run are not in the broker's process",
  "claim.repository": OUTSIDE,
  "publish.mirror": OUTSIDE,
  "publish.private-challenge": OUTSIDE,
  "publish.private-repository": OUTSIDE,
  "publish.repository": OUTSIDE,
  "claim.webapp": WEBAPP,
  "commit.local-participant": WEBAPP,
  "commit.outbox": WEBAPP,
  "commit.rename-participant": WEBAPP,
  "send.webapp-grade": WEBAPP,
  "send.webapp-media": WEBAPP,
  "send.webapp-submission": WEBAPP,
  "send.webapp-withdrawal": WEBAPP,
  "commit.sweep-challenges": "comes a minute after the last grader of a challenge has gone",
};

/** Returns the work that needs a step; null for one that is not reached. */
export const scenarioOf = (step: string): Scenario | null =>
  SCENARIOS.find(({ steps }) => steps.includes(step)) ?? null;
