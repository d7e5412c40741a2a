const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;

/** How long a submission may stay in a state, in milliseconds; then the sweep ends or requeues it. */
export const DEADLINES = {
  /** Bytes may follow the intent for a week: resuming an upload keeps its arrival time. */
  initiated: 7 * DAY,
  /** A grader has a week to pick it up. */
  submitted: 7 * DAY,
  /** An organizer's external grader, which we can neither watch nor ask, has a month. */
  outside: 30 * DAY,
  /** Of a challenge that was removed. */
  unknownGrading: 600 * SECOND,
  /** Time beyond the limits of the stages, which the grader enforces. */
  gradingGrace: 60 * SECOND,
} as const;

/** Number of starts after which a job counts as one that crashes its graders. */
export const MAX_STARTS = 3;

/** Total number of attempts at a submission, whatever ended the earlier ones. */
export const MAX_ATTEMPTS = 20;
