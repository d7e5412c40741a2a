import type { Report } from "../../protocol/job.ts";
import type { JobQueue } from "../job-queue.ts";
import { within } from "./wait-until.ts";

export interface Receiver {
  applied(): Report[];
  tried(): number;
  stop(): Promise<void>;
  ended: Promise<void>;
}

export function createTestReceiver(
  queue: JobQueue,
  apply: (report: Report) => Promise<void> = async () => {},
): Receiver {
  const stopping = new AbortController();
  const applied: Report[] = [];
  let tried = 0;
  const ended = queue.receive(async (report) => {
    tried++;
    await apply(report);
    applied.push(report);
  }, stopping.signal);
  return {
    applied: () => [...applied],
    tried: () => tried,
    stop() {
      stopping.abort();
      return within(ended, "the receiver did not stop");
    },
    ended,
  };
}
