import { createApiKey, createSubmissionId, type IntentRequest } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ContractBroker } from "../../test/contract.ts";
import { startContractBroker } from "../../test/contract-broker.ts";
import type { Feed } from "./feed.ts";
import { type BrokerSession, openSession, type SessionOptions } from "./session.ts";

let broker: ContractBroker;
const sessions: BrokerSession[] = [];
beforeEach(async () => {
  broker = await startContractBroker();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.close();
  await broker.close();
});

async function open(more: Partial<SessionOptions> = {}): Promise<BrokerSession> {
  const session = await openSession({
    broker: broker.url,
    key: broker.key,
    challenge: "iris",
    client: "test/1",
    ...more,
  });
  sessions.push(session);
  return session;
}
const intent = (id = createSubmissionId()): IntentRequest & { id: string } => ({
  id,
  challenge: "iris",
  input: { kind: "inline", data: [1] },
});
async function read(
  feed: Feed,
  each: (seq: number) => void = () => {},
): Promise<{ seqs: number[]; state?: string }> {
  const seqs: number[] = [];
  let state: string | undefined;
  for await (const update of feed) {
    if (update.kind !== "place") state = update.submission?.state ?? state;
    if (update.kind !== "event") continue;
    seqs.push(update.event.seq);
    each(update.event.seq);
  }
  return { seqs, state };
}
const asked = (what: string) => broker.received.filter((message) => message.what === what);

describe("over a socket", () => {
  it("drops live events that come twice, and asks for those that were skipped", async () => {
    broker.grader = null;
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    broker.repeat(id, 1);
    broker.repeat(id, 2);
    broker.event(id, "grading", {}, true);
    broker.event(id, "progress", { percent: 1 });
    broker.repeat(id, 3);
    broker.finish(id, { state: "graded", score: 1 });
    expect((await read(session.watch(id))).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("asks for nothing when nothing was missed", async () => {
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    await read(session.watch(id));
    expect(asked("watch")).toEqual([]);
  });

  it("tells the place in line", async () => {
    broker.grader = null;
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const feed = session.watch(id);
    broker.place(id, 3, "no grader serves iris right now");
    for await (const update of feed) {
      if (update.kind !== "place") continue;
      expect(update.place).toMatchObject({
        submission: id,
        place: 3,
        waiting: "no grader serves iris right now",
      });
      break;
    }
  });

  it("sends a submission whose acknowledgement was lost again under the same id, and it stays one", async () => {
    const session = await open();
    const { id } = intent();
    let swallowed = false;
    broker.intercept = (what, message) => {
      if (what !== "submit" || swallowed) return false;
      swallowed = true;
      // It arrives and is graded, but the connection is cut before the answer.
      setImmediate(async () => {
        await broker.stop();
        await broker.start();
      });
      expect(message).toMatchObject({ id });
      return true;
    };
    const receipt = await session.submit(intent(id), { follow: true });
    expect(receipt.submission.id).toBe(id);
    expect(asked("submit").map(({ message }) => (message as { id: string }).id)).toEqual([id, id]);
    expect(broker.kept.size).toBe(1);
    expect((await read(session.watch(id))).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("makes the connection anew when an answer never comes on it", async () => {
    const session = await open({ answerMs: 100 });
    let ignored = 0;
    broker.intercept = (what) => what === "submit" && ignored++ === 0;
    const { id } = intent();
    expect((await session.submit(intent(id))).submission.id).toBe(id);
    expect(asked("connect")).toHaveLength(2);
  });

  it("ends at once when the key was revoked meanwhile", async () => {
    broker.grader = null;
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const reading = read(session.watch(id));
    await broker.stop();
    broker.key = createApiKey();
    await broker.start();
    await expect(reading).rejects.toMatchObject({ code: "key_unknown", exitCode: 3 });
  });

  it("answers fifty repetitions of one id with one submission", async () => {
    const session = await open();
    const { id } = intent();
    const receipts = await Promise.all(
      Array.from({ length: 50 }, () => session.submit(intent(id), { follow: true })),
    );
    expect(new Set(receipts.map(({ submission }) => submission.id))).toEqual(new Set([id]));
    expect(broker.kept.size).toBe(1);
  });
});
