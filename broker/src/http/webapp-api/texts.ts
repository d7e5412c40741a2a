/** The webapp's texts, verbatim: callers show them, and some match them. */
export const texts = {
  unauthorized: "HTTP Token: Access denied.",
  keyValid: "Developer API key is valid",
  keyUnknown: "No participant could be found for this API key",
  nameUnknown: "No participant could be found for this username",
  participantUnmatched: "The API key did not match any participant record.",
  challengeUnmatched: "The Challenge Client Name string did not match any challenge.",
  challengeUnknown: "No challenge could be found for this ID",
  challengeForeign: "The organizer is not authorized to access the requested challenge_id",
  roundUnknown: "This challenge_round_id does not exist",
  notOpen:
    "The challenge is not open for submissions at this time. Please check the challenge page at www.crowdai.org",
  notQualified: "You have not qualified for this round. Please review the challenge rules at www.crowdai.org",
  parallel:
    "You have exceeded the allowed number of parallel submissions. Please wait until your other submission(s) are graded.",
  noSlots: "The participant has no submission slots remaining for today.",
  mediaIncomplete:
    "Either all or none of media_large, media_thumbnail and media_content_type must be provided.",
  statusUnknown: "Grading status must be one of (graded|failed|initiated)",
  messageMissing: "Grading message must be provided if grading = failed",
  late: "Submission made after end of round.",
  objectMissing: "The specified key does not exist.",
  submissionUnknown: "No submission could be found for this id",
  details: "Submission details found.",
  serverError: "server error",
  nullByte: "string contains null byte",
  // The original did not check these, so it had no texts for them.
  notInvited: "The challenge is private, and the participant has not been invited.",
  disqualified: (reason: string) => `The participant is disqualified: ${reason}`,
  cancelled: "The submission was cancelled by its participant.",
  scored: (name: string) => `Participant ${name} scored`,
  updated: (id: number) => `Submission ${id} updated`,
  notFound: (id: string) => `Couldn't find Submission with 'id'=${id}`,
  outOfRange: "Couldn't find Submission with an out of range value for 'id'",
  clientNameUnknown: (name: string) => `challenge_client_name ${name} not found`,
  taskUnknown: (id: string) => `clef_task_id ${id} not found`,
  integerTooLarge: (parameter: string) =>
    `${parameter} is an integer beyond 2^53, which a score cannot hold exactly`,
  noNumber: (parameter: string) => `${parameter} must be a finite number`,
  noText: (parameter: string) => `${parameter} must be a text`,
} as const;
