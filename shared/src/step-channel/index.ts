export { createEmbeddedStepChannel } from "./embedded-step-channel.ts";
export type { JournalEntry, PlayedEntry, ServedSession, SessionReply, StepChannel } from "./step-channel.ts";
