import type { SubmissionState } from "@crowdai/shared";

/** The state of a submission, by the name that the command line and the API use. */
export function StateTag({ state }: { state: SubmissionState }) {
  return <span class={`tag ${state}`}>{state}</span>;
}
