import { describe, expect, it } from "vitest";
import { addOrganizer, addParticipant, revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { listParticipants } from "../../src/domain/participants/list-participants.ts";
import { createPageClient } from "../pages/page-client.ts";
import { until } from "../support/until.ts";
import { FAILING, useRemote } from "./webapp-proxy.ts";

const now = () => new Date().toISOString();
const test = useRemote();
const { start, graded } = test;

describe("keys", () => {
  it("that the webapp verified keep working while it is unreachable, also after a restart; others do not", async () => {
    const { client, key } = await start({ times: { freshMs: 1, staleMs: 60_000 } });
    const stranger = await test.webapp.addParticipant("eve");
    test.between.way = () => "cut";
    await graded(client);
    await test.broker.restart();
    await test.broker.connect({ key });
    await expect(test.broker.connect({ key: stranger })).rejects.toMatchObject({
      code: "webapp_away",
      fault: "platform",
    });
    await expect(test.broker.connect({ key: "0".repeat(32) })).rejects.toMatchObject({ code: "webapp_away" });
  });

  it("stop working when the webapp stays unreachable", async () => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 200 } });
    test.between.way = () => "cut";
    await until(async () => (await test.broker.fetch("/api/v1/me", { key })).status === 503);
  });

  it.each(FAILING)("survive a webapp that %s, and one that answers 404 to everything", async (_, way) => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 60_000 } });
    for (const wrong of [
      way,
      { status: 404, body: '{"status":404,"error":"Not Found"}', type: "application/json" },
    ]) {
      test.between.way = () => wrong;
      expect((await test.broker.fetch("/api/v1/me", { key })).status).toBe(200);
    }
  });

  it("are verified once while the answer is fresh, also for many requests at once", async () => {
    const { key } = await start({ times: { freshMs: 60_000 } });
    await Promise.all(Array.from({ length: 20 }, () => test.broker.fetch("/api/v1/me", { key })));
    expect(test.between.seen).toEqual([`GET /api/external_graders/${key}`]);
  });

  it("of 32 hex digits, as the original issues, sign in", async () => {
    await start();
    const key = "0123456789abcdef0123456789abcdef";
    test.between.way = (_, path) =>
      path.endsWith(key)
        ? {
            status: 200,
            body: '{"message":"Developer API key is valid","participant_id":77}',
            type: "application/json",
          }
        : "through";
    expect(await (await test.broker.fetch("/api/v1/me", { key })).json()).toMatchObject({
      participant: { name: "participant-77" },
    });
  });

  it("that are malformed are not sent anywhere", async () => {
    const { key } = await start();
    // Meanwhile the broker may ask again for the key of the client that is connected.
    const others = () => test.between.seen.filter((request) => !request.endsWith(key));
    const before = others().length;
    for (const key of ["../submissions", "1/submission_info", "challenge_config", "0".repeat(33)])
      expect((await test.broker.fetch("/api/v1/me", { key })).status).toBe(401);
    expect(others()).toHaveLength(before);
  });

  it("of organizers stay this broker's own", async () => {
    await start();
    const { addOrganizer } = await import("../../src/domain/participants/api-keys.ts");
    const organizer = await addOrganizer(test.broker.records, "org", ["test"], now());
    const board = await test.broker.fetch("/api/v1/challenges/test/leaderboard", { key: organizer });
    expect(board.status).toBe(200);
    await revokeKeys(test.broker.records, "organizer", "org", now());
    expect((await test.broker.fetch("/api/v1/challenges/test/leaderboard", { key: organizer })).status).toBe(
      401,
    );
  });
});

describe("a session of the pages", () => {
  it("continues after a restart, also while the webapp is unreachable", async () => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 60_000 } });
    const visitor = createPageClient(test.broker);
    await visitor.signIn(key);
    await test.broker.restart();
    test.between.way = () => "cut";
    expect((await visitor.get("/submissions")).status).toBe(200);
  });

  it("does not begin while the webapp is unreachable, and the form shows why", async () => {
    const { key } = await start({ times: { freshMs: 1, staleMs: 1 } });
    test.between.way = () => "cut";
    const answer = await createPageClient(test.broker).signIn(key);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("the webapp is unreachable");
  });

  it("is open to organizers of this broker, but not to participants with keys it issued before", async () => {
    await start();
    const { records } = test.broker;
    const organizer = createPageClient(test.broker);
    expect((await organizer.signIn(await addOrganizer(records, "linus", ["test"], now()))).status).toBe(303);
    expect((await organizer.get("/submissions")).status).toBe(200);
    const before = createPageClient(test.broker);
    expect((await before.signIn(await addParticipant(records, "old", now()))).status).toBe(401);
    await organizer.get("/");
    await records.db.updateTable("api_keys").set({ owner: "participant" }).execute();
    expect((await organizer.get("/submissions")).status).toBe(401);
  });
});

describe("a participant", () => {
  it("has the webapp's name from the first submission on, unless it is taken", async () => {
    const { client, key } = await start();
    await graded(client);
    expect(await listParticipants(test.broker.records.db)).toMatchObject([
      { name: "ada" },
      { submissions: 1, active: true },
    ]);
    const me = async (as: string) =>
      (
        (await (await test.broker.fetch("/api/v1/me", { key: as })).json()) as {
          participant: { name: string };
        }
      ).participant.name;
    await until(async () => (await me(key)) === "grace");
    // The fixture's own participant here is named ada; the webapp has one of that name too.
    const other = await test.broker.connect({ key: test.webapp.key });
    await graded(other);
    expect(await me(test.webapp.key)).toBe("participant-1");
  });

  it("stays the same with a new key", async () => {
    const { client, key } = await start();
    const id = await graded(client);
    const { db } = test.webapp.records;
    const { createApiKey, hashApiKey } = await import("@crowdai/shared");
    const next = createApiKey();
    await db
      .updateTable("api_keys")
      .set({ hash: hashApiKey(next) })
      .where("owner_id", "=", 2)
      .where("owner", "=", "participant")
      .execute();
    await until(async () => (await test.broker.fetch("/api/v1/me", { key })).status === 401);
    expect((await test.broker.fetch(`/api/v1/submissions/${id}`, { key: next })).status).toBe(200);
  });
});
