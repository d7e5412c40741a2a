import type { Submission, SubmissionEvent } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { createFeed, type Feed } from "./feed.ts";

const types = ["initiated", "submitted", "grading", "progress", "graded"] as const;
const event = (seq: number): SubmissionEvent => ({
  submission: "s",
  seq,
  at: "",
  type: types[seq - 1]!,
  data: {},
});
const submission = (seq: number) => ({ id: "s", seq, state: seq === 5 ? "graded" : "grading" }) as Submission;
const live = (seq: number) => ({ event: event(seq), submission: seq === 5 ? submission(5) : null });

async function read(feed: Feed): Promise<number[]> {
  const seen: number[] = [];
  for await (const update of feed) if (update.kind === "event") seen.push(update.event.seq);
  return seen;
}

describe("a feed", () => {
  it("yields live events in order and ends after the last", async () => {
    const feed = createFeed("s");
    for (const seq of [1, 2, 3, 4, 5]) expect(feed.live(live(seq))).toBe(false);
    expect(feed.ended).toBe(true);
    expect(await read(feed)).toEqual([1, 2, 3, 4, 5]);
  });

  it("drops events it has already, from live messages and answers", async () => {
    const feed = createFeed("s");
    feed.live(live(1));
    feed.live(live(1));
    feed.caughtUp({ submission: submission(3), events: [event(1), event(2), event(3)] });
    feed.live(live(2));
    for (const seq of [4, 5]) feed.live(live(seq));
    expect(await read(feed)).toEqual([1, 2, 3, 4, 5]);
  });

  it("fails when the broker twice lacks the last events of a submission that has ended", async () => {
    const feed = createFeed("s");
    feed.live(live(1));
    expect(feed.caughtUp({ submission: submission(5), events: [event(1)] })).toBe(false);
    expect(feed.ended).toBe(false);
    expect(feed.caughtUp({ submission: submission(5), events: [] })).toBe(false);
    await expect(read(feed)).rejects.toMatchObject({ code: "unexpected" });
  });

  it("requests missing events and holds later ones until they arrive", async () => {
    const feed = createFeed("s");
    feed.live(live(1));
    expect(feed.live(live(4))).toBe(true);
    expect(feed.live(live(5))).toBe(true);
    feed.caughtUp({ submission: submission(3), events: [event(2), event(3)] });
    expect(await read(feed)).toEqual([1, 2, 3, 4, 5]);
  });

  it("asks again after a partial answer, but not after an empty one", () => {
    const feed = createFeed("s");
    expect(feed.caughtUp({ submission: submission(5), events: [event(1), event(2)] })).toBe(true);
    expect(feed.caughtUp({ submission: submission(5), events: [] })).toBe(false);
    expect(feed.ended).toBe(false);
    expect(feed.caughtUp({ submission: submission(5), events: [event(3), event(4), event(5)] })).toBe(false);
    expect(feed.ended).toBe(true);
  });

  it("starts after the given number", async () => {
    const feed = createFeed("s", 3);
    feed.caughtUp({ submission: submission(5), events: [event(4), event(5)] });
    expect(await read(feed)).toEqual([4, 5]);
  });

  it("ends at once with the submission if every event was seen", async () => {
    const feed = createFeed("s", 5);
    feed.caughtUp({ submission: submission(5), events: [] });
    const updates = [];
    for await (const update of feed) updates.push(update);
    expect(updates).toEqual([{ kind: "submission", submission: submission(5) }]);
  });

  it("includes the final submission in the last event of an answer", async () => {
    const feed = createFeed("s");
    feed.caughtUp({ submission: submission(5), events: [1, 2, 3, 4, 5].map(event) });
    const updates = [];
    for await (const update of feed) updates.push(update);
    expect(updates.at(-1)).toEqual({ kind: "event", event: event(5), submission: submission(5) });
  });

  it("yields what it has before it throws the error that stopped it", async () => {
    const feed = createFeed("s");
    feed.live(live(1));
    feed.stop(new Error("cut"));
    feed.live(live(2));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const update of feed) if (update.kind === "event") seen.push(update.event.seq);
    })();
    await expect(reading).rejects.toThrow("cut");
    expect(seen).toEqual([1]);
  });
});
