import { createApiKey } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { intent, read, useSessions } from "../../../test/sessions.ts";

const sessions = useSessions();
const { open } = sessions;
const asked = (what: string) => sessions.broker.received.filter((message) => message.what === what);

describe("over a socket", () => {
  it("drops repeated live events and requests skipped ones", async () => {
    sessions.broker.grader = null;
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    sessions.broker.repeat(id, 1);
    sessions.broker.repeat(id, 2);
    sessions.broker.event(id, "grading", {}, true);
    sessions.broker.event(id, "progress", { percent: 1 });
    sessions.broker.repeat(id, 3);
    sessions.broker.finish(id, { state: "graded", score: 1 });
    expect((await read(session.watch(id))).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("continues if the broker disconnects right after its first message", async () => {
    sessions.broker.goodbyes = 1;
    const session = await open();
    const { submission } = await session.submit(intent(), { follow: true });
    expect((await read(session.watch(submission.id))).state).toBe("graded");
  });

  it("requests nothing if no event was missed", async () => {
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    await read(session.watch(id));
    expect(asked("watch")).toEqual([]);
  });

  it("yields the queue position", async () => {
    sessions.broker.grader = null;
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const feed = session.watch(id);
    sessions.broker.place(id, 3, "no grader serves iris right now");
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

  it("resends a submission whose acknowledgement was lost under the same id, and it stays one", async () => {
    const session = await open();
    const { id } = intent();
    let swallowed = false;
    sessions.broker.intercept = (what, message) => {
      if (what !== "submit" || swallowed) return false;
      swallowed = true;
      // It arrives and is graded, but the connection is cut before the answer.
      setImmediate(async () => {
        await sessions.broker.stop();
        await sessions.broker.start();
      });
      expect(message).toMatchObject({ id });
      return true;
    };
    const receipt = await session.submit(intent(id), { follow: true });
    expect(receipt.submission.id).toBe(id);
    expect(asked("submit").map(({ message }) => (message as { id: string }).id)).toEqual([id, id]);
    expect(sessions.broker.kept.size).toBe(1);
    expect((await read(session.watch(id))).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("reconnects if an answer never arrives", async () => {
    const session = await open({ answerMs: 100 });
    let ignored = 0;
    sessions.broker.intercept = (what) => what === "submit" && ignored++ === 0;
    const { id } = intent();
    expect((await session.submit(intent(id))).submission.id).toBe(id);
    expect(asked("connect")).toHaveLength(2);
  });

  it("ends at once if the key was revoked", async () => {
    sessions.broker.grader = null;
    const session = await open();
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const reading = read(session.watch(id));
    await sessions.broker.stop();
    sessions.broker.key = createApiKey();
    await sessions.broker.start();
    await expect(reading).rejects.toMatchObject({ code: "key_unknown", exitCode: 3 });
  });

  it("returns one submission for fifty repetitions of one id", async () => {
    const session = await open();
    const { id } = intent();
    const receipts = await Promise.all(
      Array.from({ length: 50 }, () => session.submit(intent(id), { follow: true })),
    );
    expect(new Set(receipts.map(({ submission }) => submission.id))).toEqual(new Set([id]));
    expect(sessions.broker.kept.size).toBe(1);
  });
});
