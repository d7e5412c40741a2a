import type { Job, Report } from "../../protocol/job.ts";

export function jobOf(submission: string, changes: Partial<Job> = {}): Job {
  return {
    submission,
    attempt: 1,
    challenge: "iris",
    function: "submit",
    round: 1,
    dry_run: false,
    input: { kind: "inline", data: null },
    code: null,
    version: null,
    ...changes,
  };
}

export function reportOf(submission: string, number: number): Report {
  return { submission, attempt: 1, delivery: 1, grader: "g", type: "log", message: String(number) };
}

export const numberOf = (report: Report) => Number(report.type === "log" ? report.message : Number.NaN);
