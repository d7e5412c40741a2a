import type { StepChannel } from "@crowdai/shared/step-channel";
import { expect, it } from "vitest";
import { playRemote } from "./play-remote.ts";
import type { Session } from "./session.ts";

it("a session whose job is given away just after another grader took it over ends with the reason of the signal", async () => {
  const lost = new AbortController();
  const given = new AbortController();
  const reason = new Error("the job was given to another grader");
  const steps = {
    serve: async () => ({ lost: lost.signal, async [Symbol.asyncDispose]() {} }),
    async journal() {
      lost.abort();
      given.abort(reason);
      return [];
    },
  } as unknown as StepChannel;
  const agent = { id: "1", deterministic: true, idleMs: 1000, signal: given.signal };
  await expect(playRemote(agent, steps, async () => ({}) as Session)).rejects.toBe(reason);
});
