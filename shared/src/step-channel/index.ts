export { createEmbeddedStepChannel } from "./embedded-step-channel.ts";
export type { JournalEntry, ServedSession, SessionReply, StepChannel } from "./step-channel.ts";
