import { expect, it } from "vitest";
import { jobOf } from "../contract/samples.ts";
import { createRunningJobs, deliveryOf } from "./running-jobs.ts";

function start() {
  const jobs = createRunningJobs();
  const add = (id: string, submission: string, attempt = 1) =>
    jobs.add(["iris", id, 2, JSON.stringify(jobOf(submission, { attempt }))]);
  return { jobs, add };
}

it("a running job is delivered with its number and a signal", () => {
  const { add } = start();
  const one = add("1-0", "s")!;
  expect(one).toMatchObject({ challenge: "iris", id: "1-0", delivery: 2, settled: null });
  const delivery = deliveryOf(one);
  expect(delivery).toMatchObject({ job: jobOf("s"), delivery: 2 });
  expect(delivery.signal.aborted).toBe(false);
});

it("an entry is taken once, until its job is removed", () => {
  const { jobs, add } = start();
  const one = add("1-0", "s")!;
  expect([add("1-0", "s"), jobs.has("1-0"), jobs.has("2-0"), jobs.all()]).toEqual([null, true, false, [one]]);
  jobs.remove(one);
  expect([jobs.has("1-0"), one.abort.signal.aborted]).toEqual([false, false]);
  expect(add("1-0", "s")).not.toBeNull();
});

it("an entry that is not a job is refused", () => {
  const { jobs } = start();
  expect(() => jobs.add(["iris", "1-0", 1, "{}"])).toThrow();
  expect(jobs.all()).toEqual([]);
});

it("a job that this release cannot read is delivered by its name, with the reason", () => {
  const { jobs } = start();
  const { submission, attempt, challenge } = jobOf("s");
  const input = { kind: "of-a-newer-release", data: { value: 1 } };
  const one = jobs.add(["iris", "1-0", 2, JSON.stringify({ ...jobOf("s"), input })])!;
  const delivery = deliveryOf(one);
  expect(delivery.job).toMatchObject({
    submission,
    attempt,
    challenge,
    input: { kind: "inline", data: null },
  });
  expect(delivery.unreadable).toContain("input");
  expect(deliveryOf(start().add("1-0", "s")!)).not.toHaveProperty("unreadable");
});

it("attempts of a submission are withdrawn up to one, and no others", () => {
  const { jobs, add } = start();
  const [first, second, third, other] = [
    add("1", "s", 1)!,
    add("2", "s", 2)!,
    add("3", "s", 3)!,
    add("4", "t")!,
  ];
  jobs.withdraw("s", 2);
  const aborted = () => [first, second, third, other].map(({ abort }) => abort.signal.aborted);
  expect(aborted()).toEqual([true, true, false, false]);
  // Their entries are removed with the next exchange.
  expect(jobs.all().map(({ settled }) => settled)).toEqual(["done", "done", null, null]);
  jobs.withdrawAll();
  expect([aborted(), jobs.all()]).toEqual([Array(4).fill(true), []]);
});

it("a removed job is restored to be settled, and returned unless it was done", () => {
  const { jobs, add } = start();
  const [done, open] = [add("1-0", "s")!, add("2-0", "t")!];
  done.settled = "done";
  for (const one of [done, open]) {
    jobs.remove(one);
    jobs.restore(one);
  }
  expect(jobs.all().map(({ id, settled }) => [id, settled])).toEqual([
    ["1-0", "done"],
    ["2-0", "returned"],
  ]);
});
