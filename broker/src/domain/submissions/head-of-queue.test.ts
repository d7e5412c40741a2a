import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Domain, openDomain } from "../../../test/support/domain.ts";
import { headOfQueue, queuedAt } from "./head-of-queue.ts";

let domain: Domain;
beforeAll(async () => {
  domain = await openDomain();
  domain.serve();
});
afterAll(() => domain.close());

describe("the head of the queue", () => {
  it("is the first submission that waits for our graders, and not for its code", async () => {
    const head = async () => (await headOfQueue(domain.db, "sums"))?.id;
    expect(await head()).toBeUndefined();
    for (const name of ["graded-one", "outside-1", "for-code-1", "no-wait-1", "waiting-1"])
      await domain.submit({ id: name });
    await domain.set({ state: "graded" }, "graded-one");
    await domain.set({ outside_status: "submitted" }, "outside-1");
    await domain.addCode("for-code-1", 2);
    await domain.addCode("no-wait-1", 0);
    expect(await head()).toBe("no-wait-1");
    await domain.set({ state: "grading" }, "no-wait-1");
    expect(await head()).toBe("waiting-1");
    expect(await headOfQueue(domain.db, "another")).toBeUndefined();
  });

  const [early, middle, late] = [
    "2026-01-01T00:00:00.000Z",
    "2026-01-02T00:00:00.000Z",
    "2026-01-03T00:00:00.000Z",
  ];
  it.each([
    ["when it was accepted", { accepted_at: middle, stored_at: null }, middle],
    ["when it arrived, if it was accepted at once", { accepted_at: null, stored_at: null }, early],
    ["when its code arrived, if that was later", { accepted_at: middle, stored_at: late }, late],
    ["when it was accepted, if its code was there before", { accepted_at: middle, stored_at: early }, middle],
  ])("entered the queue %s", (_, times, expected) => {
    expect(queuedAt({ created_at: early, ...times })).toBe(Date.parse(expected));
  });
});
