export type { JournalEntry, SessionReply, StepChannel } from "./step-channel.ts";
