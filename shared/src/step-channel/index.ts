export { createEmbeddedStepChannel } from "./embedded-step-channel.ts";
export type { JournalEntry, SessionReply, StepChannel } from "./step-channel.ts";
