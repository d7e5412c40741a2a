import type { JobIdentity } from "./job-identity.ts";

/** The part of a trust that a job must match. */
export interface TrustedJobs {
  ref: string | null;
  environment: string | null;
  repository_id: string | null;
  owner_id: string | null;
}

/** Returns why a trust of the job's repository does not cover the job; null when it does. */
export function mismatch(trust: TrustedJobs, job: JobIdentity): string | null {
  if (trust.repository_id !== null && trust.repository_id !== job.repositoryId)
    return `${job.repository} is no longer the repository that was trusted (id ${trust.repository_id}, now ${job.repositoryId})`;
  if (trust.owner_id !== null && trust.owner_id !== job.ownerId)
    return `the owner of ${job.repository} is not the one that was trusted (id ${trust.owner_id}, now ${job.ownerId})`;
  if (!refMatches(trust.ref, job.ref))
    return trust.ref === null
      ? `the trust does not include jobs of a ${job.ref.replace("_", " ")}, which need @${job.ref}`
      : `the trust is for ${trust.ref}, and the job runs for ${job.ref}`;
  if (trust.environment !== null && trust.environment !== job.environment)
    return `the trust is for the environment ${trust.environment}, and the job runs in ${job.environment ?? "none"}`;
  return null;
}

/** A trust without a ref covers every branch and tag, and no proposed changes. */
function refMatches(trusted: string | null, ref: string): boolean {
  const isRef = ref.startsWith("refs/");
  if (trusted === null) return isRef;
  if (trusted.endsWith("*")) return isRef && ref.startsWith(trusted.slice(0, -1));
  return ref === trusted;
}
