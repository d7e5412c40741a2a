import type { Job } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { makeEnvironmentChallenge } from "../testing/environments.ts";
import { runSessionGrader } from "../testing/sessions.ts";

const missing = async () => ({ missing: "bubblewrap is not installed" });
const unable = (id: string) => ({ unable: { [id]: "bubblewrap is not installed" } });
const code: Job["input"] = { kind: "code", command: ["python3", "agent.py"] };

describe("a grader without boxes, and a challenge for agents of both kinds", () => {
  it("plays sessions of remote agents, and leaves agents that are code in the queue", async () => {
    const grader = await runSessionGrader({ openSandbox: missing });
    const challenge = await makeEnvironmentChallenge();
    const { id } = challenge.config;
    const waits = await grader.publish({ challenge: id, input: code });
    const session = await grader.open(challenge, { seeds: [1] });
    expect(await session.episode()).toMatchObject({ terminated: true });
    await session.ask({ type: "submit" });
    expect(await session.finished()).toMatchObject({ outcome: { ok: true, artifacts: [{}] } });
    expect(grader.reports.filter(({ submission }) => submission === waits)).toEqual([]);
    const attached = await grader.queue.attached();
    expect(attached).toEqual([
      { grader: "grader-1", challenges: [], sessions: [id], concurrency: 4, ...unable(id) },
    ]);
  });

  it("does the same when the challenge is a bundle, once it has seen that its code needs a box", async () => {
    const challenge = await makeEnvironmentChallenge();
    const { id } = challenge.config;
    const grader = await runSessionGrader({ openSandbox: missing, bundled: () => new Map([[id, "one"]]) });
    const bundle = await grader.storeBundle(challenge);
    const waits = await grader.publish({ challenge: id, input: code, ...bundle });
    expect(await grader.report(waits, "released")).toMatchObject({
      reason: expect.stringContaining("bubblewrap is not installed"),
    });
    const attached = { challenges: [], sessions: [id], ...unable(id) };
    await expect.poll(() => grader.queue.attached()).toMatchObject([attached]);
    const session = await grader.open(challenge, { seeds: [1], ...bundle });
    expect(await session.episode()).toMatchObject({ terminated: true });
    await session.ask({ type: "submit" });
    expect(await session.finished()).toMatchObject({ outcome: { ok: true } });
  });

  it("takes no session whose environment runs in a box itself", async () => {
    const challenge = await makeEnvironmentChallenge({
      evaluator: { gym: "env.py:make", sandbox: "bubblewrap" },
    });
    const { id } = challenge.config;
    const grader = await runSessionGrader({ openSandbox: missing });
    grader.challenges.set(id, challenge);
    await expect.poll(() => grader.queue.attached()).toMatchObject([unable(id)]);
    expect((await grader.queue.attached())[0]).not.toHaveProperty("sessions");
  });
});
