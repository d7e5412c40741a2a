import { expect, it } from "vitest";
import { jobOf } from "./contract/samples.ts";
import { attachedGrader } from "./job-queue.ts";
import { queueNameOf, servedQueues } from "./queue-names.ts";

it("the sessions of a challenge wait apart from its other jobs", () => {
  const session = jobOf("s", { input: { kind: "session", replay: null } });
  expect([queueNameOf(jobOf("s")), queueNameOf(session)]).toEqual(["iris", "iris/sessions"]);
});

it("a grader serves both queues of its challenges, and of others the sessions alone", () => {
  expect(servedQueues({ challenges: () => ["iris"] })).toEqual(["iris", "iris/sessions"]);
  const served = servedQueues({ challenges: () => ["iris"], sessions: () => ["digits"] });
  expect(served).toEqual(["iris", "iris/sessions", "digits/sessions"]);
});

it("an attached grader is described by what it serves, and by what keeps it from that, if anything", () => {
  const { signal } = new AbortController();
  const plain = { grader: "g", challenges: () => ["iris"], concurrency: 2, signal };
  const described = { grader: "g", challenges: ["iris"], concurrency: 2 };
  expect(attachedGrader(plain)).toStrictEqual(described);
  const fine = { ...plain, sessions: () => [], problem: () => null, unable: () => ({}) };
  expect(attachedGrader(fine)).toStrictEqual(described);
  const [sessions, problem, unable] = [["digits"], "The disk is full.", { digits: "no box" }];
  const troubled = { ...plain, sessions: () => sessions, problem: () => problem, unable: () => unable };
  expect(attachedGrader(troubled)).toStrictEqual({ ...described, sessions, problem, unable });
});
