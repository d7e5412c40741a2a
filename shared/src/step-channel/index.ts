export type { JournalEntry, StepChannel } from "./step-channel.ts";
