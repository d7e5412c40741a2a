export * from "./protocol/acknowledgement.ts";
export * from "./protocol/agent.ts";
export * from "./protocol/agreement.ts";
export { createApiKey, hashApiKey, isApiKey, mayBeApiKey } from "./protocol/api-key.ts";
export * from "./protocol/call.ts";
export { checkValue, jsonSchemaErrors } from "./protocol/check-value.ts";
export * from "./protocol/environment-record.ts";
export * from "./protocol/errors.ts";
export * from "./protocol/events.ts";
export {
  ExactNumber,
  isExactNumber,
  parseExact,
  stringifyExact,
  writesExactNumbers,
} from "./protocol/exact-json.ts";
export { fileNameProblem, foldedName, nameCollisions } from "./protocol/file-name.ts";
export * from "./protocol/intent.ts";
export * from "./protocol/job.ts";
export { parseJson, parseLenientJson, toJsonText } from "./protocol/json-value.ts";
export * from "./protocol/leaderboard.ts";
export * from "./protocol/message-limits.ts";
export { obeyedName } from "./protocol/obeyed-name.ts";
export { lineProblem, lineSchema, plainText } from "./protocol/plain-text.ts";
export * from "./protocol/profile.ts";
export {
  type Column,
  challengeSchema,
  limitSchema,
  type PublicChallenge,
  type Round,
  roundSchema,
} from "./protocol/public-challenge.ts";
export * from "./protocol/publishing.ts";
export * from "./protocol/queue-position.ts";
export { roundScore } from "./protocol/round-score.ts";
export { roundNumbers } from "./protocol/rounded-numbers.ts";
export * from "./protocol/run-record.ts";
export * from "./protocol/session.ts";
export * from "./protocol/spaces.ts";
export * from "./protocol/submission.ts";
export { createSubmissionId, SUBMISSION_ID } from "./protocol/submission-id.ts";
export { quoted, suggest } from "./protocol/suggest.ts";
export * from "./protocol/upload.ts";
export * from "./protocol/upload-parts.ts";
export * from "./protocol/watching.ts";
