import { describe, expect, it } from "vitest";
import type { Job } from "../protocol/job.ts";
import { createFairQueue, fairKeyOf, type WaitingJob } from "./fair-queue.ts";

const waiting = (submission: string, fair_key?: string | null): WaitingJob => ({
  job: { submission, ...(fair_key === undefined ? {} : { fair_key }) } as Job,
  delivered: 0,
});

function takeAll(queue: ReturnType<typeof createFairQueue>): string[] {
  const taken: string[] = [];
  for (let next = queue.take(); next !== null; next = queue.take()) taken.push(next.job.submission);
  return taken;
}

describe("waiting jobs", () => {
  it("have the key of their participant, and share one where they have none", () => {
    expect(fairKeyOf({ fair_key: "ada" })).toBe("ada");
    expect(fairKeyOf({ fair_key: null })).toBe("");
    expect(fairKeyOf({})).toBe("");
  });

  it("are taken in turns of their keys, in order of arrival within a key", () => {
    const queue = createFairQueue();
    expect(queue.isEmpty()).toBe(true);
    for (const name of ["a1", "a2", "a3", "b1", "b2", "c1"]) queue.add(waiting(name, name[0]!));
    expect(queue.isEmpty()).toBe(false);
    expect(takeAll(queue)).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
    expect(queue.isEmpty()).toBe(true);
    expect(queue.take()).toBeNull();
  });

  it("of a key that was served least recently are next, also when they arrive later", () => {
    const queue = createFairQueue();
    queue.add(waiting("a1", "a"));
    queue.add(waiting("b1", "b"));
    expect(takeAll(queue)).toEqual(["a1", "b1"]);
    queue.add(waiting("b2", "b"));
    queue.add(waiting("a2", "a"));
    queue.add(waiting("new", "c"));
    expect(takeAll(queue)).toEqual(["new", "a2", "b2"]);
  });

  it("that were returned come before all others, the last returned first, and take no turn", () => {
    const queue = createFairQueue();
    queue.add(waiting("a1", "a"));
    queue.addFirst(waiting("r1", "a"));
    queue.addFirst(waiting("r2", "b"));
    queue.add(waiting("b1", "b"));
    expect(takeAll(queue)).toEqual(["r2", "r1", "a1", "b1"]);
    queue.addFirst(waiting("r3"));
    expect(queue.isEmpty()).toBe(false);
    queue.take();
    expect(queue.isEmpty()).toBe(true);
  });

  it("that are dropped are not taken, wherever they wait", () => {
    const queue = createFairQueue();
    const [a1, a2, a3, b1, returned, kept] = ["a1", "a2", "a3", "b1", "r1", "r2"].map((name) =>
      waiting(name, name[0]!),
    ) as [WaitingJob, WaitingJob, WaitingJob, WaitingJob, WaitingJob, WaitingJob];
    for (const one of [a1, a2, a3, b1]) queue.add(one);
    queue.addFirst(returned);
    queue.addFirst(kept);
    queue.drop(returned);
    queue.drop(b1);
    queue.drop(a2);
    queue.drop(waiting("unknown", "z"));
    expect(takeAll(queue)).toEqual(["r2", "a1", "a3"]);
    queue.add(a1);
    queue.drop(a1);
    expect(queue.isEmpty()).toBe(true);
  });

  it("that are dropped after others were taken leave the rest as it is", () => {
    const queue = createFairQueue();
    const jobs = ["1", "2", "3", "4"].map((name) => waiting(name));
    for (const job of jobs) queue.add(job);
    queue.take();
    queue.drop(jobs[0]!);
    queue.drop(jobs[2]!);
    expect(takeAll(queue)).toEqual(["2", "4"]);
  });

  it("keep their order in a list of thousands", () => {
    const queue = createFairQueue();
    const names = Array.from({ length: 3000 }, (_, index) => `${index}`);
    for (const name of names) queue.add(waiting(name));
    expect(takeAll(queue)).toEqual(names);
  });
});
