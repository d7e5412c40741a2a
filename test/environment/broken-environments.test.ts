import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../required-programs.ts";
import { type HostingBroker, hostEnvironments, openOverHttp } from "./hosting-broker.ts";

const SHORT = { limits: { env_step_seconds: 0.5 } };
const hasBoxes = process.getuid?.() === 0 && !missing("bwrap");

describe.skipIf(missing("python3"))("an environment", () => {
  let hosting: HostingBroker;
  let key: string;
  beforeAll(async () => {
    hosting = await hostEnvironments((folder) => ({
      crash: { args: ["crash"] },
      "crash-once": { args: ["crash", join(folder, "flags/crash")] },
      "hang-once": { args: ["hang", join(folder, "flags/hang")], environment: SHORT },
      "rubbish-once": { args: ["rubbish", join(folder, "flags/rubbish")] },
      fickle: { args: ["crash", join(folder, "flags/fickle")], environment: { deterministic: false } },
      hang: { args: ["hang"], environment: SHORT },
      rubbish: { args: ["rubbish"] },
      flood: { args: ["flood"] },
      nan: { args: ["nan"] },
      differs: { args: ["differs"] },
      absent: { args: ["absent"] },
      leak: { args: ["leak"], evaluator: { memory_mb: 128, sandbox: hasBoxes ? "bubblewrap" : "none" } },
    }));
    await mkdir(join(hosting.folder, "flags"));
    await chmod(join(hosting.folder, "flags"), 0o777);
    await chmod(hosting.folder, 0o755);
    key = await hosting.join();
  });
  afterAll(() => hosting?.close());

  it.each(["crash-once", "hang-once", "rubbish-once"])(
    "that fails once (%s) is started again, and the session continues",
    async (challenge) => {
      const agent = await openOverHttp(hosting, key, challenge);
      for (let episode = 1; episode <= 3; episode++) {
        expect((await agent.reset()).body).toMatchObject({ episode });
        for (let n = 1; n <= 5; n++)
          expect((await agent.step([0.5, 0])).body, `step ${n}`).toMatchObject({ n, done: n === 5 });
      }
      expect((await agent.reset()).body).toEqual({ observation: null });
      expect(await agent.post("monitor/close")).toEqual({ status: 200, body: { reward: 2.5 } });
      // Of the second process: it did the steps of the first one again.
      expect(await agent.ended()).toMatchObject({
        ...{ state: "graded", score: 2.5, slot: "charged", grading_message: "15 steps" },
        environment: { steps: 15, resumed: 1 },
      });
    },
  );

  it.each([
    ["crash", "env_crashed", /The environment crashed \(episode 1, step 3\): it exited\./],
    ["fickle", "env_crashed", /The environment crashed \(episode 1, step 3\): it exited\./],
    [
      "hang",
      "env_timeout",
      /The environment took too long \(episode 1, step 3\): it needed more than 0.5 s\./,
    ],
    ["rubbish", "env_output", /printed something invalid \(episode 1, step 3\): a line that is not JSON\./],
    ["flood", "env_output", /printed something invalid \(episode 1, step 3\): /],
    ["nan", "env_output", /printed something invalid \(episode 1, step 3\): NaN or Infinity\./],
    ["differs", "env_not_repeatable", /not repeatable \(episode 1, step 1\): .* gave another observation\./],
    [
      "leak",
      "env_crashed",
      hasBoxes
        ? /crashed \(episode 1, step 3\): it used too much memory\./
        : /crashed \(episode 1, step 3\): it exited\./,
    ],
  ])(
    "that fails always (%s) ends the session with %s, and the slot comes back",
    async (challenge, code, text) => {
      const agent = await openOverHttp(hosting, key, challenge);
      expect((await agent.reset()).status).toBe(200);
      for (let n = 1; n <= 2; n++) expect((await agent.step()).status).toBe(200);
      const answer = await agent.step();
      expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(text) } });
      expect(await agent.ended()).toMatchObject({
        ...{ state: "failed", slot: "returned" },
        error: { code, fault: "challenge", message: expect.stringMatching(text) },
      });
      // Whatever the agent asks then, it learns why.
      expect((await agent.reset()).body.message).toMatch(text);
    },
  );

  it("that does not start ends the session before its first reset", async () => {
    const agent = await openOverHttp(hosting, key, "absent");
    const text = /The environment crashed \(at its start\): it exited\./;
    expect(await agent.reset()).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(text) },
    });
    expect(await agent.ended()).toMatchObject({ slot: "returned", error: { code: "env_crashed" } });
  });
});
