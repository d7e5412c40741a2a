import type { Job } from "../protocol/job.ts";
import type { Consumption } from "./job-queue.ts";

/**
 * Returns the name of the queue in which a job waits. The sessions of a challenge wait apart from its
 * submitted code: graders without boxes take only the sessions.
 */
export const queueNameOf = ({ challenge, input }: Pick<Job, "challenge" | "input">): string =>
  input.kind === "session" ? sessionsOf(challenge) : challenge;

/** Returns the names of the queues that a grader serves now. */
export const servedQueues = ({
  challenges,
  sessions,
}: Pick<Consumption, "challenges" | "sessions">): string[] => [
  ...challenges().flatMap((challenge) => [challenge, sessionsOf(challenge)]),
  ...(sessions?.() ?? []).map(sessionsOf),
];

/** Ids of challenges have no slash. */
const sessionsOf = (challenge: string) => `${challenge}/sessions`;
