import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/root.ts";
import { missing } from "../required-programs.ts";
import { type Connection, type HostingBroker, hostEnvironments, openOverHttp } from "./hosting-broker.ts";

const closed = new Date(Date.now() - 3600_000).toISOString();

describe.skipIf(missing("python3"))("a remote agent", () => {
  let hosting: HostingBroker;
  let key: string;
  beforeAll(async () => {
    hosting = await hostEnvironments(() => ({
      count: {},
      quick: { environment: { limits: { idle_seconds: 0.5 } } },
      brief: { environment: { limits: { episode_seconds: 0.5 } } },
      one: { config: { rounds: [{ id: "1", limit: { count: 1, per: "round" } }] } },
      over: { config: { rounds: [{ id: "1", ends_at: closed }] } },
    }));
    key = await hosting.join();
  });
  afterAll(() => hosting?.close());

  const open = (challenge = "count") => openOverHttp(hosting, key, challenge);
  type Agent = Awaited<ReturnType<typeof open>>;
  const playAll = async (agent: Agent) => {
    for (let episode = 1; episode <= 3; episode++) {
      await agent.reset();
      for (let n = 1; n <= 5; n++) await agent.step();
    }
  };
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error) => error,
    );
  const ask = (client: Connection, type: string, id: string, more: object = {}) =>
    client.ask(`environment:${type}`, { id, ...more });

  describe("that sends something invalid", () => {
    it.each([
      ["too few numbers", [1], "expected 2 numbers, got 1"],
      ["too many numbers", [1, 2, 3], "expected 2 numbers, got 3"],
      ["a number", 1, "expected a list of 2 numbers, got 1"],
      ["a text", "left", 'expected a list of 2 numbers, got "left"'],
      ["texts", ["1", "0"], 'expected a finite number, got "1"'],
      ["an object", { 0: 1, 1: 0 }, "expected a list of 2 numbers, got an object"],
      ["a deeper list", [[1], [0]], "expected a finite number, got a list of 1"],
      ["null", [null, null], "expected a finite number, got null"],
      ["true", [true, false], "expected a finite number, got true"],
    ])("is refused, and nothing changes: %s", async (_, action, text) => {
      const agent = await open();
      await agent.reset();
      expect(await agent.step(action)).toEqual({
        status: 400,
        body: { message: expect.stringContaining(text) },
      });
      expect((await agent.step()).body).toMatchObject({ episode: 1, n: 1, reward: 1 });
      await agent.post("close");
    });

    it.each([
      ["rubbish", "\0\u{1F4A9}", "is not valid JSON"],
      ["nothing", "", "'action' was not provided"],
      ["half a message", '{"action": [1, ', "is not valid JSON"],
      ["NaN", '{"action": [NaN, 0]}', "NaN"],
      ["Infinity", '{"action": [Infinity, 0]}', "Infinity"],
      ["a number that is too large", '{"action": [1e999, 0]}', "number"],
      ["no object", "[1, 0]", "'action' was not provided"],
    ])("is refused over HTTP: %s", async (_, body, text) => {
      const agent = await open();
      await agent.reset();
      const answer = await hosting.request(null, "POST", `/v1/envs/${agent.instance}/step/`, body);
      expect(answer).toEqual({ status: 400, body: { message: expect.stringContaining(text) } });
      expect((await agent.step()).body).toMatchObject({ n: 1 });
      await agent.post("close");
    });

    it("is refused a message beyond the limit, over either wire, and the session continues", async () => {
      const agent = await open();
      await agent.reset();
      const long = Array.from({ length: 600_000 }, () => 0);
      expect(await agent.step(long)).toMatchObject({ status: 400, body: { message: /at most/ } });
      const client = await hosting.connect(key, "count");
      const cut = new Promise((resolve) => client.socket.once("disconnect", resolve));
      await refusal(ask(client, "step", agent.id, { n: 1, action: long }));
      await cut;
      expect((await agent.step()).body).toMatchObject({ n: 1 });
      await agent.post("close");
    });

    it("ends its session with the tenth invalid request", async () => {
      const agent = await open();
      await agent.reset();
      await agent.step();
      for (let i = 0; i < 10; i++) expect((await agent.step([1])).status).toBe(400);
      const { state, slot, error } = await agent.ended();
      expect({ state, slot, error }).toMatchObject({
        ...{ state: "failed", slot: "charged" },
        error: {
          ...{ code: "agent_protocol", fault: "you" },
          message:
            "The agent sent 10 invalid requests (episode 1, step 1). The last one: expected 2 numbers, got 1.",
        },
      });
      expect((await agent.step()).body.message).toContain("The agent sent 10 invalid requests");
    });

    it("costs no slot before the first reset", async () => {
      const agent = await open();
      for (let i = 0; i < 10; i++)
        expect((await agent.step()).body.message).toContain("send reset before the first step");
      expect(await agent.ended()).toMatchObject({ slot: "returned", error: { code: "agent_protocol" } });
    });

    it("in mid-episode, a reset and a submit, is refused", async () => {
      const agent = await open();
      const client = await hosting.connect(key, "count");
      await agent.reset();
      await agent.step();
      expect((await agent.reset()).body.message).toContain("episode 1 is not over; go on with step");
      expect(await ask(client, "submit", agent.id)).toMatchObject({ type: "error", code: "submit_early" });
      expect((await agent.step()).body).toMatchObject({ n: 2 });
      await agent.post("close");
    });
  });

  it.each([
    [
      "the first episode",
      false,
      /^The agent submitted after 0 of 3 episodes \(before the first episode\)\.$/,
    ],
    ["its end", true, /^The agent submitted after 0 of 3 episodes \(episode 1, step 1\)\.$/],
  ])("of gym-http-api that closes its monitor before %s ends its session", async (_, plays, text) => {
    const agent = await open();
    if (plays) await agent.reset();
    if (plays) await agent.step();
    const verdict = { reward: null, code: "agent_protocol", message: expect.stringMatching(text) };
    for (let i = 0; i < 2; i++)
      expect(await agent.post("monitor/close")).toEqual({ status: 200, body: verdict });
    expect((await hosting.request(null, "POST", "/v1/upload/", { training_dir: "tmp" })).status).toBe(204);
    expect((await agent.post("close")).status).toBe(204);
    expect(await agent.ended()).toMatchObject({
      ...{ state: "failed", slot: plays ? "charged" : "returned" },
      error: { code: "agent_protocol", fault: "you", message: expect.stringMatching(text) },
    });
  });

  it("that resets for ever ends its session", async () => {
    const agent = await open();
    await agent.reset();
    for (let i = 0; i < 10; i++) await agent.reset();
    expect(await agent.ended()).toMatchObject({
      slot: "charged",
      error: { code: "agent_protocol", message: expect.stringContaining("episode 1 is not over") },
    });
  });

  it("that is silent is given up, and pays once it has seen an observation", async () => {
    const [mute, silent] = [await open("quick"), await open("quick")];
    await silent.reset();
    expect(await silent.ended()).toMatchObject({
      ...{ state: "failed", slot: "charged" },
      error: {
        ...{ code: "session_abandoned", fault: "you" },
        message: "The agent sent no request for 0.5 s (episode 1, step 0).",
      },
    });
    expect(await mute.ended()).toMatchObject({
      ...{ state: "failed", slot: "returned" },
      error: {
        code: "session_abandoned",
        message: "The agent sent no request for 0.5 s (before the first episode).",
      },
    });
  });

  it("that has played all episodes and is silent then is graded", async () => {
    const agent = await open("quick");
    await playAll(agent);
    expect(await agent.ended()).toMatchObject({ state: "graded", score: 5, grading_message: "15 steps" });
  });

  it("that resets for ever after its last episode is graded", async () => {
    const agent = await open("quick");
    await playAll(agent);
    let answer = await agent.reset();
    for (; (await hosting.view(agent.id, key)).state === "grading"; answer = await agent.reset())
      expect(answer.body).toEqual({ observation: null });
    expect(await agent.ended()).toMatchObject({ state: "graded", score: 5 });
  });

  it("that plays an episode for too long has a time limit", async () => {
    const agent = await open("brief");
    await agent.reset();
    expect(await agent.ended()).toMatchObject({
      slot: "charged",
      error: {
        code: "agent_timeout",
        message: "The agent took too long (episode 1, step 0: the episode took longer than 0.5 s).",
      },
    });
  });

  it("that cancels pays only after its first reset", async () => {
    const [before, after] = [await open(), await open()];
    await after.reset();
    for (const { id } of [before, after])
      expect((await hosting.request(key, "POST", `/api/v1/submissions/${id}/cancel`)).status).toBe(200);
    expect(await before.ended()).toMatchObject({ state: "cancelled", slot: "returned" });
    expect(await after.ended()).toMatchObject({ state: "cancelled", slot: "charged" });
    expect((await after.step()).body.message).toMatch(/cancelled/i);
  });

  it("that is connected twice plays one session: each step is done once", async () => {
    const agents = [await hosting.connect(key, "count"), await hosting.connect(key, "count")];
    const id = await agents[0]!.create("count");
    expect(await agents[1]!.create("count", id)).toBe(id);
    const both = (type: string, more: object) =>
      Promise.all(agents.map((client) => ask(client, type, id, more)));
    for (let episode = 1; episode <= 3; episode++) {
      const resets = await both("reset", { episode });
      expect(resets[1]).toEqual(resets[0]);
      for (let n = 1; n <= 5; n++) {
        const steps = await both("step", { episode, n, action: [1, 0] });
        expect(steps[0]).toMatchObject({ type: "step", episode, n });
        expect(steps[1]).toEqual(steps[0]);
      }
    }
    await both("submit", {});
    expect(await hosting.ended(id, key)).toMatchObject({
      ...{ score: 5, grading_message: "15 steps" },
      environment: { invalid_actions: 0 },
    });
  });

  it("whose connections send different actions for a step has one of them done", async () => {
    const agents = [await hosting.connect(key, "count"), await hosting.connect(key, "count")];
    const id = await agents[0]!.create("count");
    await ask(agents[0]!, "reset", id, { episode: 1 });
    const answers = await Promise.all(
      agents.map((client, i) => ask(client, "step", id, { episode: 1, n: 1, action: [i / 2, 0] })),
    );
    expect(answers.map(({ type }) => type).sort()).toEqual(["error", "step"]);
    expect(answers.find(({ type }) => type === "error")).toMatchObject({ code: "step_differs" });
    await agents[0]!.ask("cancel", { id });
  });

  it("cannot ask for the session of another participant", async () => {
    const agent = await open();
    await agent.reset();
    const other = await hosting.join();
    const client = await hosting.connect(other, "count");
    for (const [type, more] of Object.entries({ hello: {}, reset: {}, step: { action: [1, 0] }, submit: {} }))
      expect(await refusal(ask(client, type, agent.id, more)), type).toMatchObject({
        code: "submission_unknown",
      });
    expect(await refusal(client.create("count", agent.id))).toMatchObject({ code: "id_conflict" });
    expect((await hosting.request(other, "POST", `/api/v1/submissions/${agent.id}/cancel`)).status).toBe(404);
    const again = { env_id: "count", token: other, submission: agent.id };
    expect(await hosting.request(null, "POST", "/v1/envs/", again)).toMatchObject({ status: 400 });
    expect((await hosting.request(other, "GET", "/v1/envs/")).body).toEqual({ all_envs: {} });
    expect((await hosting.request(null, "GET", "/v1/envs/")).body).toEqual({ all_envs: {} });
    expect((await agent.step()).body).toMatchObject({ n: 1 });
    await agent.post("close");
  });

  it("cannot guess an instance", async () => {
    const [agent, other] = [await open(), await open()];
    await agent.reset();
    const [, proof] = other.instance.split(".");
    const guesses = [
      agent.id,
      `${agent.id}.`,
      `${agent.id}.${"0".repeat(32)}`,
      `${agent.id}.${proof}`,
      agent.instance.slice(0, -1),
      `${agent.instance}0`,
      `${agent.instance}.`,
      agent.instance.toUpperCase(),
      `${createSubmissionId()}.${proof}`,
      "..%2f..%2fetc",
      encodeURIComponent("'; drop table submissions; --"),
    ];
    for (const guess of guesses)
      for (const [method, path] of [
        ["POST", "reset/"],
        ["POST", "monitor/close/"],
        ["POST", "close/"],
        ["GET", "action_space/"],
      ] as const)
        expect(await hosting.request(null, method, `/v1/envs/${guess}/${path}`), guess).toMatchObject({
          ...{ status: 400, body: { message: expect.stringContaining("unknown or expired") } },
        });
    expect((await agent.step()).body).toMatchObject({ n: 1 });
    for (const one of [agent, other]) await one.post("close");
  });

  it("whose key is revoked in mid-run plays no further step", async () => {
    const mine = await hosting.join();
    const agent = await openOverHttp(hosting, mine, "quick");
    await agent.reset();
    const client = await hosting.connect(mine, "quick");
    const left = new Promise((resolve) => client.socket.once("disconnect", resolve));
    const list = (await participants("list")) as string;
    const name = list.match(/participant \d+/g)!.at(-1)!;
    await participants("revoke", name);
    await left;
    await expect.poll(async () => (await agent.step()).status, { timeout: 5000 }).toBe(400);
    expect((await agent.step()).body.message).toMatch(/key/i);
    const fresh = (await participants("key", name)).trim();
    expect(await hosting.ended(agent.id, fresh)).toMatchObject({
      slot: "charged",
      error: { code: "session_abandoned" },
    });
  });
  const participants = async (...args: string[]) => {
    const program = join(root, "broker/bin/crowdai-broker.js");
    const all = [program, "participant", ...args, "--data", hosting.data];
    return (await promisify(execFile)(process.execPath, all)).stdout;
  };

  it("has no session in a closed round, with a wrong key, or of an unknown challenge", async () => {
    const create = (env_id: string, token: string) =>
      hosting.request(null, "POST", "/v1/envs/", { env_id, token });
    const refused = (text: RegExp) => ({ status: 400, body: { message: expect.stringMatching(text) } });
    expect(await create("over", key)).toEqual(refused(/closed|over|ended/));
    expect(await create("count", "wrong")).toEqual(refused(/key/i));
    expect(await create("none", key)).toEqual(refused(/none/));
    const client = await hosting.connect(key, "over");
    expect(await refusal(client.create("over"))).toMatchObject({ fault: "you", code: /closed|round/ });
  });

  it("has no second session without a slot, and has one when the slot came back", async () => {
    const mine = await hosting.join();
    const first = await openOverHttp(hosting, mine, "one");
    const create = () => hosting.request(null, "POST", "/v1/envs/", { env_id: "one", token: mine });
    expect(await create()).toMatchObject({ status: 400 });
    await first.post("close");
    expect(await first.ended()).toMatchObject({ state: "cancelled", slot: "returned" });
    const second = await openOverHttp(hosting, mine, "one");
    await second.reset();
    await second.post("close");
    expect(await second.ended()).toMatchObject({ state: "cancelled", slot: "charged" });
    expect((await create()).body.message).toMatch(/slot|limit|submission/i);
  });
});
