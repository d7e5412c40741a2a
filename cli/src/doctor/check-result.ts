import type { CrowdaiError } from "@crowdai/shared";

/** The outcome of one check. */
export interface DoctorCheck {
  name: string;
  status: "ok" | "warning" | "failed" | "skipped";
  message: string;
  error?: CrowdaiError;
}

/** A result without the name of its check. */
export type CheckOutcome = Omit<DoctorCheck, "name">;
