import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { createToyGrader, environmentChallenge, SPACES, type ToyGrader } from "../support/toy-sessions.ts";
import { until } from "../support/until.ts";

interface Sent {
  method?: string;
  body?: unknown;
  /** The body as it is. */
  text?: string;
  authorization?: string;
}

describe("an environment in the form of gym-http-api", () => {
  let test: TestBroker;
  let toy: ToyGrader;
  let people = 0;
  beforeAll(async () => {
    toy = createToyGrader(["test", "other"]);
    const rounds = [{ id: "1", parallel_limit: 3 }];
    test = await startBroker({
      runGrader: toy.run,
      challenges: [
        environmentChallenge({ rounds, environment: { old_clients: { env_id: "Run" } } }),
        environmentChallenge({ id: "other", environment: { old_clients: { env_id: "Walk" } } }),
        environmentChallenge({ id: "third", environment: { old_clients: { env_id: "Walk" } } }),
        { id: "plain" },
      ],
    });
  });
  afterAll(() => test?.close());

  const newcomer = () => test.addParticipant(`participant ${++people}`);
  async function send(path: string, { method = "POST", body = null, text, authorization }: Sent = {}) {
    const response = await fetch(`${test.broker.url}${path}`, {
      method,
      redirect: "manual",
      headers: { "content-type": "application/json", ...(authorization && { authorization }) },
      ...(method === "POST" && { body: text ?? JSON.stringify(body) }),
    });
    const answer = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: whatever the broker answers
    return { status: response.status, answer: answer === "" ? null : (JSON.parse(answer) as any) };
  }
  async function create(token: string, more = {}): Promise<{ instance: string; id: string }> {
    const { status, answer } = await send("/v1/envs/", {
      body: { env_id: "Run", token, version: "1.5", ...more },
    });
    expect([status, answer.message]).toEqual([200, undefined]);
    return { instance: answer.instance_id, id: answer.submission };
  }
  const stateOf = async (id: string) =>
    await test.records.db
      .selectFrom("submissions")
      .select(["state", "error_code"])
      .where("id", "=", id)
      .executeTakeFirst();

  it("is played by a client of 2017, from its creation to its reward", async () => {
    const key = await newcomer();
    const { instance, id } = await create(key);
    expect(instance).toMatch(/^[A-Za-z0-9_-]+\.[0-9a-f]{32}$/);
    const at = `/v1/envs/${instance}`;
    const directory = { directory: "tmp", force: true, resume: false, video_callable: false };
    expect(await send(`${at}/monitor/start/`, { body: directory })).toEqual({ status: 204, answer: null });
    const first = send(`${at}/reset/`);
    await toy.serve(await toy.next());
    expect(await first).toMatchObject({ status: 200, answer: { observation: [0, 0] } });
    for (let episode = 1; episode <= 2; episode++) {
      if (episode > 1) expect((await send(`${at}/reset/`)).answer.observation).toEqual([0, 0]);
      for (let n = 1; n <= 3; n++)
        expect(await send(`${at}/step/`, { body: { action: 2, render: false } })).toEqual({
          status: 200,
          answer: expect.objectContaining({
            ...{ observation: [n / 10, episode / 10], reward: 2, done: n === 3, info: {} },
          }),
        });
    }
    expect(await send(`${at}/reset/`)).toEqual({ status: 200, answer: { observation: null } });
    expect(await send(`${at}/monitor/close/`)).toEqual({ status: 200, answer: { reward: 6 } });
    expect(await send(`${at}/close/`)).toEqual({ status: 204, answer: null });
    expect(await stateOf(id)).toEqual({ state: "graded", error_code: null });
    expect(await send(`${at}/monitor/close/`)).toEqual({ status: 200, answer: { reward: 6 } });
  });

  it("is found by clients that send their key in the address, and shows its spaces", async () => {
    const key = await newcomer();
    const basic = `Basic ${Buffer.from(`x:${key}`).toString("base64")}`;
    const { answer } = await send("/v1/envs", { body: { env_id: "test" }, authorization: basic });
    const at = `/v1/envs/${answer.instance_id}`;
    for (const authorization of [basic, `Bearer ${key}`])
      expect((await send("/v1/envs/", { method: "GET", authorization })).answer).toEqual({
        all_envs: { [answer.instance_id]: "test" },
      });
    expect((await send("/v1/envs/", { method: "GET" })).answer).toEqual({ all_envs: {} });
    await toy.serve(await toy.next());
    const get = async (path: string) => (await send(`${at}/${path}`, { method: "GET" })).answer;
    expect(await get("action_space/")).toEqual({ info: SPACES.action });
    expect(await get("observation_space")).toEqual({ info: SPACES.observation });
    expect([0, 1, 2]).toContain((await get("action_space/sample")).action);
    expect(await get("action_space/contains/2")).toEqual({ member: true });
    expect(await get("action_space/contains/3")).toEqual({ member: false });
    expect(await get("action_space/contains/2.5")).toEqual({ member: false });
    const observed = (body: unknown) => send(`${at}/observation_space/contains`, { body });
    expect((await observed({ name: "Box", shape: [2] })).answer).toEqual({ member: true });
    expect((await observed({ name: "Box", shape: [3] })).answer).toEqual({ member: false });
    expect((await observed([0.5, -1])).answer).toEqual({ member: true });
    expect((await send("/v1/upload/", { body: { training_dir: "tmp" } })).status).toBe(204);
    await send(`${at}/close/`);
  });

  it("answers every mistake with status 400 and a message", async () => {
    const key = await newcomer();
    const { instance } = await create(key);
    await toy.serve(await toy.next());
    const at = `/v1/envs/${instance}`;
    const wrong: [string, Sent, RegExp][] = [
      ["/v1/envs/", { body: { token: key } }, /'env_id' was not provided/],
      ["/v1/envs/", { body: { env_id: "Run" } }, /'token' was not provided/],
      ["/v1/envs/", { body: { env_id: "Run", token: "" } }, /'token' was not provided/],
      ["/v1/envs/", { body: { env_id: "Run", token: "crowdai_no" } }, /key/i],
      ["/v1/envs/", { body: { env_id: 7, token: key } }, /'env_id' is not a text/],
      ["/v1/envs/", { body: { env_id: "Fly", token: key } }, /no challenge "Fly"/i],
      ["/v1/envs/", { body: { env_id: "Walk", token: key } }, /Several challenges.*other, third/],
      ["/v1/envs/", { body: { env_id: "plain", token: key } }, /plain has no environment/],
      ["/v1/envs/", { text: "{" }, /JSON/],
      ["/v1/envs/", { text: "x".repeat(1_100_000) }, /at most/],
      [`${at}/step/`, { body: {} }, /'action' was not provided/],
      [`${at}/step/`, { body: { action: [] } }, /'action' was not provided/],
      [`${at}/step/`, { text: '{"action":NaN}' }, /NaN|JSON/],
      [`${at}/step/`, { body: { action: 0 } }, /episode is over/],
      [`${at}/step/`, { body: { action: 0, n: -1 } }, /'n' is not a number/],
      [`${at}/monitor/close/`, { body: { early: false } }, /Not every episode/],
      [`${at}/fly/`, {}, /There is no POST/],
      [`${at}/reset/`, { method: "GET" }, /There is no GET/],
      ["/v1/envs/nothing/reset/", {}, /unknown or expired/],
      [`/v1/envs/${createSubmissionId()}.${"0".repeat(32)}/reset/`, {}, /unknown or expired/],
      [`/v1/envs/${instance.slice(0, -1)}/reset/`, {}, /unknown or expired/],
      [`/v1/envs/${instance}0/reset/`, {}, /unknown or expired/],
      ["/v1/nothing", {}, /There is no POST/],
      ["/v1", { method: "GET" }, /There is no GET/],
      ["/v1/envs/", { method: "DELETE" }, /There is no DELETE/],
    ];
    for (const [path, sent, message] of wrong)
      expect([path, await send(path, sent)]).toEqual([
        path,
        { status: 400, answer: { message: expect.stringMatching(message) } },
      ]);
    await send(`${at}/close/`);
  });

  it("refuses a body that is too long, whether or not its length is announced", async () => {
    const long = `{"padding": "${"x".repeat(2_000_000)}"}`;
    const chunks = new Blob([long]).stream();
    for (const body of [long, chunks]) {
      const { status, headers } = await fetch(`${test.broker.url}/v1/envs/`, {
        ...{ method: "POST", body, duplex: "half" },
      });
      expect([status, headers.get("connection")]).toEqual([400, "close"]);
    }
  });

  it("sends the security headers of every other route", async () => {
    const headersOf = async (path: string) => {
      const { headers } = await fetch(`${test.broker.url}${path}`);
      return Object.fromEntries(
        [...headers].filter(([name]) => !/^(date|content-length|keep-alive|x-request-id)$/.test(name)),
      );
    };
    const others = await headersOf("/api/v1/challenges/nowhere");
    expect(others["x-content-type-options"]).toBe("nosniff");
    expect(await headersOf("/v1/envs/")).toEqual(others);
    expect(await headersOf("/v1/nowhere")).toEqual(others);
  });

  it("is the same instance when its creation is repeated, also after a restart", async () => {
    const key = await newcomer();
    const submission = createSubmissionId();
    const one = await create(key, { submission });
    expect(await create(key, { submission })).toEqual(one);
    const other = await newcomer();
    expect(await send("/v1/envs/", { body: { env_id: "Run", token: other, submission } })).toMatchObject({
      status: 400,
    });
    await test.restart();
    const reset = send(`/v1/envs/${one.instance}/reset/`, { body: { episode: 1 } });
    await until(async () => {
      const taken = await toy.next();
      if (taken.id !== submission) return false;
      await toy.serve(taken);
      return true;
    });
    expect(await reset).toMatchObject({ status: 200, answer: { observation: [0, 0], episode: 1 } });
    await send(`/v1/envs/${one.instance}/close/`);
  });

  it("is forgotten a day after its end, when its participant creates another", async () => {
    const key = await newcomer();
    const { instance, id } = await create(key);
    await toy.next();
    await send(`/v1/envs/${instance}/close/`);
    expect((await send(`/v1/envs/${instance}/close/`)).status).toBe(204);
    const finished_at = new Date(Date.now() - 25 * 3600 * 1000).toISOString();
    await test.records.db.updateTable("submissions").set({ finished_at }).where("id", "=", id).execute();
    const next = await create(key);
    await toy.next();
    const stored = await test.records.db
      .selectFrom("environment_instances")
      .select("submission")
      .where("submission", "in", [id, next.id])
      .execute();
    expect(stored).toEqual([{ submission: next.id }]);
    await send(`/v1/envs/${next.instance}/close/`);
  });

  it("ends with the key that created it", async () => {
    const name = `participant ${people + 1}`;
    const { instance, id } = await create(await newcomer());
    await toy.serve(await toy.next());
    const at = `/v1/envs/${instance}`;
    expect((await send(`${at}/reset/`)).status).toBe(200);
    await revokeKeys(test.records, "participant", name, new Date().toISOString());
    const refused = await until(async () => {
      const answered = await send(`${at}/action_space/`, { method: "GET" });
      return answered.status !== 200 && answered;
    });
    expect(refused).toMatchObject({ status: 400, answer: { message: expect.stringContaining("revoked") } });
    expect((await stateOf(id))?.state).toBe("grading");
  });

  it("replaces one that its agent left before the first episode, and none that is played or asked for", async () => {
    const key = await newcomer();
    const [left, played, asked] = [await create(key), await create(key), await create(key)];
    for (let i = 0; i < 3; i++) {
      const taken = await toy.next();
      if (taken.id !== asked.id) await toy.serve(taken);
    }
    await send(`/v1/envs/${played.instance}/reset/`);
    const waiting = send(`/v1/envs/${asked.instance}/reset/`);
    await test.records.db
      .updateTable("submissions")
      .set({ created_at: new Date(Date.now() - 60_000).toISOString() })
      .where("id", "in", [left.id, played.id, asked.id])
      .execute();
    await until(async () => (await stateOf(played.id))?.state === "grading");
    const next = await create(key);
    expect(await stateOf(left.id)).toEqual({ state: "cancelled", error_code: "cancelled" });
    expect((await stateOf(played.id))?.state).toBe("grading");
    expect((await stateOf(asked.id))?.state).toBe("submitted");
    for (const one of [next, played, asked]) await send(`/v1/envs/${one.instance}/close/`);
    expect(await waiting).toMatchObject({
      status: 400,
      answer: { message: expect.stringMatching(/cancelled/i) },
    });
    expect(await stateOf(played.id)).toEqual({ state: "cancelled", error_code: "cancelled" });
  });
});
