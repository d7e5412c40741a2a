export { createApiKey, hashApiKey, isApiKey } from "./protocol/api-key.ts";
export * from "./protocol/errors.ts";
export * from "./protocol/events.ts";
export * from "./protocol/job.ts";
export * from "./protocol/session.ts";
export * from "./protocol/submission.ts";
export { createSubmissionId, SUBMISSION_ID } from "./protocol/submission-id.ts";
export { checkValue, parseJson, toJsonText } from "./protocol/json-value.ts";
