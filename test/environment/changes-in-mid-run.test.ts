import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PublicChallenge, Receipt, SessionAnswer, Submission } from "@crowdai/shared";
import { createSubmissionId, isFinal, MAX_STEP_BYTES } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { revokeKeys } from "../../broker/src/domain/participants/api-keys.ts";
import { closeChallenge } from "../../broker/src/domain/publishing/close-challenge.ts";
import { runEmbeddedGrader } from "../../broker/src/startup/embedded-grader.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { until } from "../../broker/test/support/until.ts";
import { Challenge } from "../../cli/src/index.ts";
import { missing } from "../required-programs.ts";
import { type HostileProxy, startHostileProxy } from "../uploads/hostile-proxy.ts";

/** Two steps an episode; the reward is the length of the action. */
const ENVIRONMENT = `class Lengths:
    action_space = {"name": "Text"}
    observation_space = {"name": "Any"}
    def reset(self, seed=None):
        self.n = 0
        return [1], {}
    def step(self, action):
        self.n += 1
        return [self.n], float(len(action)), self.n == 2, False, {}
`;
const challenge = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  evaluator: { gym: "env.py:Lengths", timeout_seconds: 20 },
  environment: { agents: ["remote"], seeds: { count: 2 }, limits: { idle_seconds: 60 } },
  ...more,
});
const IDS = ["ends", "closes", "leaves", "revoked", "limited", "long"];

describe.skipIf(missing("python3"))("a session in mid-run", () => {
  let test: TestBroker;
  let proxy: HostileProxy;
  let people = 0;
  beforeAll(async () => {
    proxy = await startHostileProxy();
    test = await startBroker({
      // Sessions that are asked for until one is refused are not played, and stay.
      runGrader: (needs) => runEmbeddedGrader({ ...needs, config: { ...needs.config, concurrency: 100 } }),
      challenges: IDS.map((id) =>
        challenge(id, {
          ...(id === "limited" && { rounds: [{ id: "1", limit: { count: 2, per: "round" } }] }),
          // These end with silence.
          ...((id === "revoked" || id === "leaves") && {
            environment: {
              ...{ agents: ["remote"], seeds: { count: id === "revoked" ? 100 : 2 } },
              limits: { idle_seconds: 8 },
            },
          }),
        }),
      ),
      prepare: async (folder) => {
        for (const id of IDS) await writeFile(join(folder, "challenges", id, "env.py"), ENVIRONMENT);
      },
    });
    proxy.target = Number(new URL(test.broker.url).port);
  });
  afterAll(async () => {
    await proxy?.close();
    await test?.close();
  });

  const view = async (id: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;
  const ended = (id: string) =>
    until(async () => {
      const now = await view(id);
      return isFinal(now.state) && now;
    });
  const newcomer = async () => {
    const name = `participant ${++people}`;
    return { name, key: await test.addParticipant(name) };
  };
  async function post(path: string, body: unknown = null) {
    const answer = await test.fetch(path, { key: null, method: "POST", body });
    const text = await answer.text();
    // biome-ignore lint/suspicious/noExplicitAny: whatever the broker answers
    return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as any };
  }
  const create = (env_id: string, token = test.key) => post("/v1/envs/", { env_id, token });
  async function overHttp(env_id: string, token = test.key) {
    const { body } = await create(env_id, token);
    const ask = (path: string, sent: unknown = null) => post(`/v1/envs/${body.instance_id}/${path}/`, sent);
    return { id: body.submission as string, ask, step: (action = "abc") => ask("step", { action }) };
  }
  async function overSocket(id: string, key = test.key, transport: "auto" | "http" = "auto") {
    const opened = await Challenge.open(id, { apiKey: key, broker: proxy.url, transport });
    return { opened, env: await opened.environment<number[], string>() };
  }
  type Opened = Awaited<ReturnType<typeof overSocket>>;
  type Agent = Awaited<ReturnType<typeof overHttp>>;
  const begin = async ([socket, http]: [Opened, Agent]) => {
    await socket.env.reset();
    await socket.env.step("abc");
    await http.ask("reset");
    await http.step();
  };
  /** Plays what is left after the first step of both. */
  async function playAll([{ env }, http]: [Opened, Agent]): Promise<void> {
    await env.step("abc");
    await env.reset();
    await http.step();
    await http.ask("reset");
    for (let n = 1; n <= 2; n++) {
      await env.step("abc");
      await http.step();
    }
  }
  async function finish([{ env, opened }, http]: [Opened, Agent]): Promise<void> {
    await playAll([{ env, opened }, http]);
    expect((await env.submit()).score).toBe(6);
    expect(await http.ask("monitor/close")).toEqual({ status: 200, body: { reward: 6 } });
    await opened.close();
  }
  async function playOn({ env, opened }: Opened): Promise<never> {
    for (;;) {
      const { done } = await env.step("abc").catch(async (error) => {
        await opened.close();
        throw error;
      });
      if (done) await env.reset();
      await sleep(50);
    }
  }
  const both = async (id: string): Promise<[Opened, Agent]> => [await overSocket(id), await overHttp(id)];

  it("takes no further step with a revoked key", async () => {
    const { name, key } = await newcomer();
    const agents: Promise<void>[] = [];
    for (const transport of ["auto", "http"] as const) {
      const agent = await overSocket("revoked", key, transport);
      await agent.env.reset();
      // It is not silent while the others begin.
      agents.push(expect(playOn(agent)).rejects.toMatchObject({ code: "key_revoked", fault: "you" }));
    }
    const http = await overHttp("revoked", key);
    await http.ask("reset");
    await revokeKeys(test.records, "participant", name, new Date().toISOString());
    const overGym = until(async () => {
      const { status, body } = await http.step();
      if (body.done) await http.ask("reset");
      return (body.message ?? "").includes("revoked") && status;
    });
    await Promise.all(agents);
    expect(await overGym).toBe(400);
  });

  it("is played on when its round ends, which takes no further one", async () => {
    const agents = await both("ends");
    await begin(agents);
    const path = join(test.folder, "challenges/ends/challenge.json");
    const config = JSON.parse(await readFile(path, "utf8"));
    const rounds = [{ id: "1", ends_at: new Date(Date.now() - 1000).toISOString() }];
    await writeFile(path, JSON.stringify({ ...config, rounds }));
    const refused = await until(async () => {
      const answer = await create("ends");
      return answer.status === 400 && answer.body.message;
    });
    expect(refused).toContain("ended at");
    await expect(overSocket("ends")).rejects.toMatchObject({ code: "round_not_open", fault: "you" });
    await finish(agents);
    for (const id of [agents[0].env.id, agents[1].id])
      expect(await view(id)).toMatchObject({ state: "graded", round: "1", slot: "charged" });
  });

  it("is played on when its challenge closes, whose seeds stay secret until it has ended", async () => {
    const agents = await both("closes");
    await begin(agents);
    await closeChallenge(test.records, null, "closes", { force: true, now: new Date() });
    const seeds = async () =>
      ((await (await test.fetch("/api/v1/challenges/closes")).json()) as PublicChallenge).environment?.seeds;
    expect((await create("closes")).body.message).toContain("closed");
    expect(await seeds()).toBeNull();
    await finish(agents);
    await Promise.all([ended(agents[0].env.id), ended(agents[1].id)]);
    expect(await seeds()).toEqual([{ round: "1", seeds: [expect.any(Number), expect.any(Number)] }]);
  });

  it("goes on over new connections when its challenge is removed, and gives its slot back", async () => {
    const agents = await both("leaves");
    await begin(agents);
    await rename(join(test.folder, "challenges/leaves"), join(test.folder, "leaves"));
    const refused = await until(async () => {
      const answer = await create("leaves");
      return answer.status === 400 && answer.body.message;
    });
    expect(refused).toContain('no challenge "leaves"');
    await expect(overSocket("leaves")).rejects.toMatchObject({ code: "challenge_unknown" });
    proxy.cut();
    const [{ env, opened }, http] = agents;
    await playAll(agents);
    const removed = {
      code: "deadline_passed",
      fault: "platform",
      message: expect.stringContaining("was removed"),
    };
    await expect(env.submit()).rejects.toMatchObject(removed);
    expect((await http.ask("monitor/close")).body.message).toContain("was removed");
    for (const id of [env.id, http.id])
      expect(await ended(id)).toMatchObject({ state: "failed", slot: "returned", error: removed });
    await opened.close();
  });

  it("does not begin without a slot, over either wire", async () => {
    const { key } = await newcomer();
    const [socket, http] = [await overSocket("limited", key), await overHttp("limited", key)];
    // One that is not played is replaced by the next.
    await http.ask("reset");
    await expect(overSocket("limited", key)).rejects.toMatchObject({ code: "no_slots", fault: "you" });
    await expect(overSocket("limited", key, "http")).rejects.toMatchObject({ code: "no_slots" });
    const { status, body } = await create("limited", key);
    expect([status, body.message]).toEqual([400, expect.stringContaining("used all 2")]);
    await socket.env.close();
    await socket.opened.close();
    await http.ask("close");
  });

  it("takes an action of a million bytes over either wire, and refuses a longer one", async () => {
    const client = await test.connect({ challenge: "long" });
    const id = createSubmissionId();
    await client.ask<Receipt>("environment:create", { id, challenge: "long" });
    const ask = (type: string, more = {}) =>
      client.ask<SessionAnswer>(`environment:${type}`, { id, ...more });
    const http = await overHttp("long");
    await ask("reset");
    await http.ask("reset");
    const most = "x".repeat(MAX_STEP_BYTES - 2);
    expect(await ask("step", { action: `${most}x` })).toMatchObject({ code: "action_too_large" });
    expect(await http.step(`${most}x`)).toEqual({
      status: 400,
      body: { message: expect.stringContaining("at most 1000000 bytes") },
    });
    expect(await ask("step", { action: most })).toMatchObject({ n: 1, reward: most.length });
    expect((await http.step(most)).body).toMatchObject({ n: 1, reward: most.length });
    await client.ask("cancel", { id });
    await http.ask("close");
  });

  // The last one: its sessions have been silent since the first.
  it("is abandoned when its key was revoked, and costs its slot", async () => {
    const rows = () =>
      test.records.db
        .selectFrom("submissions")
        .innerJoin("slots", "slots.submission", "submissions.id")
        .select(["submissions.state", "slots.state as slot", "error_code"])
        .where("submissions.challenge", "=", "revoked")
        .execute();
    await until(async () => (await rows()).every(({ state }) => isFinal(state)));
    expect(await rows()).toEqual(
      Array(3).fill({ state: "failed", error_code: "session_abandoned", slot: "charged" }),
    );
  });
});
