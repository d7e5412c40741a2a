/** The options of commands that report to a CI system. */
export interface ReportFlags {
  /** False for --no-ci. */
  ci?: boolean;
  comment?: boolean;
  /** Name of the variable that holds the token. */
  commentToken?: string;
  /** Distinguishes the comments of jobs with one name. */
  commentLabel?: string;
  /** Paths of report files. */
  junit?: string;
  metrics?: string;
}
