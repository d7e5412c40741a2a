import { describe, expect, it } from "vitest";
import { createChallengeQueues } from "./challenge-queues.ts";
import { jobOf } from "./contract/samples.ts";

const waiting = (submission: string, challenge = "iris") => ({
  job: jobOf(submission, { challenge }),
  delivered: 0,
});

describe("the queues of several challenges", () => {
  it("are served in turn, beginning with the one that was served least recently", () => {
    const queues = createChallengeQueues();
    for (const challenge of ["a", "b"])
      for (const number of [1, 2]) queues.pushBack(waiting(`${challenge}${number}`, challenge));
    const take = (...served: string[]) => queues.take(served)?.job.submission ?? null;
    expect([take("c"), take("b"), take("a", "b"), take("a", "b")]).toEqual([null, "b1", "a1", "b2"]);
    expect([take("b"), take("a"), take("a", "b")]).toEqual([null, "a2", null]);
  });

  it("return a job to the front", () => {
    const queues = createChallengeQueues();
    queues.pushBack(waiting("first"));
    queues.pushBack(waiting("second"));
    queues.pushFront(queues.take(["iris"])!);
    expect(queues.take(["iris"])?.job.submission).toBe("first");
  });

  it("find what waits, and nothing else", () => {
    const queues = createChallengeQueues();
    const one = waiting("one");
    queues.pushBack(one);
    expect([queues.find("one"), queues.find("other")]).toEqual([one, null]);
    queues.take(["iris"]);
    expect(queues.find("one")).toBeNull();
    queues.pushFront(one);
    expect(queues.find("one")).toBe(one);
  });

  it("are empty when their last job was taken or dropped", () => {
    const queues = createChallengeQueues();
    expect(queues.isEmpty()).toBe(true);
    for (const submission of ["one", "two", "three"]) queues.pushBack(waiting(submission));
    queues.drop("unknown");
    queues.drop("one");
    expect([queues.isEmpty(), queues.find("one")]).toEqual([false, null]);
    expect(queues.take(["iris"])?.job.submission).toBe("two");
    expect(queues.isEmpty()).toBe(false);
    queues.drop("three");
    expect([queues.isEmpty(), queues.take(["iris"])]).toEqual([true, null]);
    queues.pushBack(waiting("last"));
    queues.take(["iris"]);
    expect(queues.isEmpty()).toBe(true);
  });

  it("hold nothing when they were cleared", () => {
    const queues = createChallengeQueues();
    queues.pushBack(waiting("one"));
    queues.clear();
    expect([queues.isEmpty(), queues.find("one"), queues.take(["iris"])]).toEqual([true, null, null]);
  });
});
