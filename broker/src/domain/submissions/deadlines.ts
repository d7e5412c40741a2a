const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;

/** How long a submission may stay in a state, in milliseconds; then the sweep ends or requeues it. */
export const DEADLINES = {
  /** Bytes may follow the intent for a week: resuming an upload keeps its arrival time. */
  initiated: 7 * DAY,
  /** A grader has a week to turn up. */
  submitted: 7 * DAY,
  /** A grader of the organiser's own, whom we can neither watch nor ask, has a month. */
  outside: 30 * DAY,
  /** Beyond the evaluator's own time-out, which the grader enforces. */
  gradingGrace: 60 * SECOND,
} as const;

/** How often a job may be started before it counts as one that kills its graders. */
export const MAX_STARTS = 3;

/** How often a submission is tried in all, whatever ended the earlier attempts. */
export const MAX_ATTEMPTS = 20;
