import type { AttachedGrader } from "@crowdai/shared/queue";
import { expect, it } from "vitest";
import { readServing, type ServingSources } from "./queue-status.ts";

const clock = () => new Date("2026-11-29T14:02:00Z");
const grader: AttachedGrader = { grader: "g", challenges: ["other"], concurrency: 1 };

it.each<[string, AttachedGrader[], string | null]>([
  ["no grader has it", [grader], "no grader has served iris since 14:02 UTC"],
  [
    "a grader has it and cannot run it",
    [grader, { ...grader, challenges: [], unable: { iris: "bubblewrap is not installed" } }],
    "no grader can run iris: bubblewrap is not installed",
  ],
  [
    "another grader can run it",
    [
      { ...grader, unable: { iris: "x" } },
      { ...grader, challenges: ["iris"] },
    ],
    null,
  ],
  [
    "a grader has it and cannot run its code",
    [{ ...grader, unable: { "run-it": "bubblewrap is not installed" } }],
    "no grader can run code: bubblewrap is not installed",
  ],
])("the reason to wait when %s", async (_, attached, waiting) => {
  const graders = {
    all: async () => attached,
    serving: async (challenge: string) => attached.filter(({ challenges }) => challenges.includes(challenge)),
    lastSeen: clock,
    poll: async () => {},
  };
  const runsCode = (challenge: string) => challenge === "run-it";
  const context: ServingSources = { graders, runsCode, clock, dispatchStalled: () => false };
  const challenge = waiting?.includes("can run code") ? "run-it" : "iris";
  expect((await readServing(context, challenge)).waiting).toBe(waiting);
});
