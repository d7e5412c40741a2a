import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addOrganizer,
  replaceKeys,
  revokeKeys,
  setChallenges,
} from "../../src/domain/participants/api-keys.ts";
import { invite } from "../../src/domain/participants/invitations.ts";
import { openChallenge } from "../legacy/legacy-challenge.ts";
import { createPageClient } from "../pages/page-client.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";

const now = (agoMs = 0) => new Date(Date.now() - agoMs).toISOString();

describe("a new key", () => {
  let test: TestBroker;
  let people = 0;
  beforeAll(async () => {
    test = await startBroker({ challenges: [{}, { id: "hidden", visibility: { private: true } }] });
  });
  afterAll(() => test?.close());

  async function newcomer(): Promise<{ name: string; key: string; replace: () => Promise<string> }> {
    const name = `person ${++people}`;
    const key = await test.addParticipant(name);
    const replace = async () =>
      (await replaceKeys(test.records, "participant", name.toUpperCase(), now())).key;
    return { name, key, replace };
  }
  const status = async (path: string, key: string) => (await test.fetch(path, { key })).status;
  it("keeps the history and the rank of its participant", async () => {
    const { name, key, replace } = await newcomer();
    const before = await test.connect({ key });
    const { submission } = await before.submit({ input: { kind: "inline", data: { score: 7 } } });
    await untilEnd(before, submission.id);
    await revokeKeys(test.records, "participant", name, now());
    const next = await replace();
    expect(await status(`/api/v1/submissions/${submission.id}`, next)).toBe(200);
    const board = await (await test.fetch("/api/v1/challenges/test/leaderboard", { key: next })).json();
    expect(board).toMatchObject({
      rows: [{ rank: 1, participant: name, submission: submission.id, you: true }],
    });
    expect((await test.connect({ key: next })).session.participant.name).toBe(name);
  });

  it("ends the old one at once: in requests, in open sessions and on the pages", async () => {
    const { key, replace } = await newcomer();
    const client = await test.connect({ key });
    const closed = new Promise((resolve) => client.socket.once("disconnect", resolve));
    const visitor = createPageClient(test);
    await visitor.signIn(key);
    const next = await replace();
    await expect(client.ask("watch", { id: "0000000000000000", after: 0 })).rejects.toMatchObject({
      code: "key_revoked",
    });
    expect(await status("/api/v1/me", key)).toBe(401);
    expect((await visitor.get("/submissions")).status).toBe(401);
    const basic = Buffer.from(`ada:${key}`).toString("base64");
    const git = await fetch(`${test.broker.url}/code/test/person-1.git/info/refs?service=git-upload-pack`, {
      headers: { authorization: `Basic ${basic}` },
    });
    expect(git.status).toBe(401);
    expect(await status("/api/v1/me", next)).toBe(200);
    await closed;
  });

  it("ends sessions also when the broker checked between the command's start and its end", async () => {
    const { name, key } = await newcomer();
    const client = await test.connect({ key });
    const closed = new Promise((resolve) => client.socket.once("disconnect", resolve));
    await revokeKeys(test.records, "participant", name, now(5000));
    await closed;
  });

  it("ends streams and waiting requests that the old one opened", async () => {
    const { name, key, replace } = await newcomer();
    await invite(test.records, name, ["hidden"], now());
    const client = await test.connect({ key });
    const { submission } = await client.submit({
      input: { kind: "inline", data: { score: 1, hold: `${test.folder}/hold` } },
    });
    const visitor = createPageClient(test);
    await visitor.signIn(key);
    const page = await visitor.get(`/submissions/${submission.id}/events`);
    const board = await test.fetch("/challenges/hidden/leaderboard/events", { key });
    const waiting = test.fetch(`/api/v1/submissions/${submission.id}/events?after=99&wait=3`, { key });
    expect([page.status, board.status]).toEqual([200, 200]);
    await replace();
    // An event wakes the page's stream and the request; the board's first entry wakes its stream. Without
    // events, streams are checked every five seconds.
    writeFileSync(`${test.folder}/hold`, "");
    expect(await page.text()).not.toContain("event: end");
    expect((await waiting).status).toBe(401);
    await test.records.db
      .insertInto("board_rounds")
      .values({ challenge: "hidden", round: "1", version: 1, border: null })
      .execute();
    expect(await board.text()).not.toContain("event: leaderboard");
  });

  it("ends a call of an older client between two of its submissions", async () => {
    const { key, replace } = await newcomer();
    const { connection, message } = await openChallenge(test.broker.url, key);
    const call = message("submit", [{ score: 1, hold: `${test.folder}/held` }, { score: 2 }, { score: 3 }]);
    const begun = new Promise<void>((resolve) =>
      connection.on(String(call.response_channel), () => resolve()),
    );
    connection.emit("execute_function", call).catch(() => {});
    await begun;
    const next = await replace();
    await connection.ended;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { submissions } = (await (await test.fetch("/api/v1/submissions", { key: next })).json()) as {
      submissions: unknown[];
    };
    expect(submissions).toHaveLength(1);
    writeFileSync(`${test.folder}/held`, "");
  });

  it("is the only one that works after ten requests at once", async () => {
    const { name } = await newcomer();
    const keys = await Promise.all(
      Array.from({ length: 10 }, () => replaceKeys(test.records, "participant", name, now())),
    );
    const answers = await Promise.all(keys.map(({ key }) => status("/api/v1/me", key)));
    expect(answers.filter((one) => one === 200)).toHaveLength(1);
  });

  it("of an organizer keeps the challenges, which can be replaced while the key stays", async () => {
    const old = await addOrganizer(test.records, "olga", ["test"], now());
    const { key, revoked } = await replaceKeys(test.records, "organizer", "Olga", now());
    expect(revoked).toBe(1);
    const LIST = "/api/v1/submissions?challenge=";
    expect(await status(`${LIST}test`, old)).toBe(401);
    expect(await status(`${LIST}test`, key)).toBe(200);
    await setChallenges(test.records, "olga", ["hidden", "hidden"]);
    expect(await status(`${LIST}test`, key)).toBe(403);
    expect(await status(`${LIST}hidden`, key)).toBe(200);
  });
});
