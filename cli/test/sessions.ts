import { createSubmissionId, type IntentRequest } from "@crowdai/shared";
import { afterEach } from "vitest";
import type { BrokerSession, SessionOptions } from "../src/client/session/broker-session.ts";
import type { Feed } from "../src/client/session/feed.ts";
import { openSession } from "../src/client/session/session.ts";
import { type BrokerAndFolder, useBrokerAndFolder } from "./broker-and-folder.ts";

/** A broker, and sessions with it. */
export interface Sessions extends BrokerAndFolder {
  /** Opens a session and closes it after the test. */
  open(options?: Partial<SessionOptions>): Promise<BrokerSession>;
}

export function useSessions(): Sessions {
  const own = useBrokerAndFolder();
  const opened: BrokerSession[] = [];
  afterEach(() => {
    for (const session of opened.splice(0)) session.close();
  });
  return Object.assign(own, {
    async open(options: Partial<SessionOptions> = {}) {
      const { key, url } = own.broker;
      const session = await openSession({
        broker: url,
        key,
        challenge: "iris",
        client: "test/1",
        ...options,
      });
      opened.push(session);
      return session;
    },
  });
}

export function intent(id = createSubmissionId()): IntentRequest & { id: string } {
  return { id, challenge: "iris", input: { kind: "inline", data: [1] } };
}

/** Reads a feed to its end. Returns the numbers of the events and the last state. */
export async function read(feed: Feed): Promise<{ seqs: number[]; state?: string }> {
  const seqs: number[] = [];
  let state: string | undefined;
  for await (const update of feed) {
    if (update.kind !== "place") state = update.submission?.state ?? state;
    if (update.kind === "event") seqs.push(update.event.seq);
  }
  return { seqs, state };
}
