import type { AttachedGrader } from "@crowdai/shared/queue";
import { expect, it } from "vitest";
import { readChallengeServing, readServing, type ServingSources } from "./queue-status.ts";

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
    servingSessions: async (challenge: string) =>
      attached.filter(
        ({ challenges, sessions }) => challenges.includes(challenge) || sessions?.includes(challenge),
      ),
    lastSeen: clock,
    poll: async () => {},
  };
  const runsCode = (challenge: string) => challenge === "run-it";
  const context: ServingSources = { graders, runsCode, clock, dispatchStalled: () => false };
  const challenge = waiting?.includes("can run code") ? "run-it" : "iris";
  expect((await readServing(context, challenge)).waiting).toBe(waiting);
});

it("graders without boxes count for the sessions of a challenge, and not for its code", async () => {
  const unable = { walk: "bubblewrap is not installed" };
  const attached: AttachedGrader[] = [{ ...grader, challenges: [], sessions: ["walk"], unable }];
  const graders = {
    all: async () => attached,
    serving: async () => [],
    servingSessions: async () => attached,
    lastSeen: clock,
  };
  const context: ServingSources = { graders, runsCode: () => false, clock, dispatchStalled: () => false };
  const waiting = "no grader can run code: bubblewrap is not installed";
  expect(await readServing(context, "walk", true)).toEqual({ graders: 1, waiting: null });
  expect(await readServing(context, "walk")).toEqual({ graders: 0, waiting });
  const environment = { agents: ["code", "remote"] };
  expect(await readChallengeServing(context, { id: "walk", environment } as never)).toEqual({
    graders: 1,
    waiting,
  });
});
