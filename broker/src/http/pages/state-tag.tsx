import type { SubmissionState } from "@crowdai/shared";

const WORDS: Record<SubmissionState, string> = {
  initiated: "uploading",
  submitted: "waiting",
  grading: "grading",
  graded: "graded",
  failed: "failed",
  cancelled: "cancelled",
};

export function StateTag({ state }: { state: SubmissionState }) {
  return <span class={`tag ${state}`}>{WORDS[state]}</span>;
}
