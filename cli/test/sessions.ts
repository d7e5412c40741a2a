import { createSubmissionId, type IntentRequest } from "@crowdai/shared";
import { afterEach } from "vitest";
import type { BrokerSession, SessionOptions } from "../src/client/session/broker-session.ts";
import type { Feed } from "../src/client/session/feed.ts";
import { openSession } from "../src/client/session/session.ts";
import { type BrokerAndFolder, useBrokerAndFolder } from "./broker-and-folder.ts";

/** Sessions with the broker. */
export interface Sessions extends BrokerAndFolder {
  /** Opens one that is closed after the test. */
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

/** Reads a feed to its end: the events' numbers, and the last state it told. */
export async function read(feed: Feed): Promise<{ seqs: number[]; state?: string }> {
  const seqs: number[] = [];
  let state: string | undefined;
  for await (const update of feed) {
    if (update.kind !== "place") state = update.submission?.state ?? state;
    if (update.kind === "event") seqs.push(update.event.seq);
  }
  return { seqs, state };
}
