import { type CreateSession, intentSchema, type Receipt } from "@crowdai/shared";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import { type IntentNeeds, registerIntent } from "../submissions/register-intent.ts";

/** Registers a session of a remote agent, under all the rules of a submission. It is accepted at once. */
export function createSession(
  context: IntentNeeds,
  caller: Caller,
  session: CreateSession,
  known: SubmissionRow | undefined,
): Promise<Receipt> {
  const intent = intentSchema.parse({ ...session, input: { kind: "session" } });
  return registerIntent(context, caller, intent, known);
}
