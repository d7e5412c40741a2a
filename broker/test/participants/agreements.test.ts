import type { Agreement, License, Session } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findAgreement } from "../../src/domain/agreements/agreements.ts";
import { MIT_DIGEST, MIT_TEXT, mitLicense } from "../../src/domain/agreements/mit-license.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

describe("the agreement to the MIT license", () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await startBroker({ withGrader: false, env: { TRUSTED_PROXIES: "198.51.100.0/24" } });
  });
  afterEach(() => test.close());

  const read = async (key = test.key): Promise<License> =>
    (await (await test.fetch("/api/v1/agreements/mit", { key })).json()) as License;
  const agree = (digest: string, options: { key?: string; headers?: Record<string, string> } = {}) =>
    fetch(`${test.broker.url}/api/v1/agreements/mit`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${options.key ?? test.key}`,
        "content-type": "application/json",
        "user-agent": "crowdai/1 test",
        ...options.headers,
      },
      body: JSON.stringify({ digest, where: "terminal" }),
    });

  it("is read with its text, digest and page, and whether the participant has given it", async () => {
    const before = await read();
    expect(before).toMatchObject({
      licence: "mit",
      text: MIT_TEXT,
      digest: MIT_DIGEST,
      url: `${test.broker.url}/agreement/mit`,
      agreement: null,
    });
    expect(before.text).toContain("Permission is hereby granted, free of charge");
    expect((await agree(before.digest)).status).toBe(200);
    const { agreement } = await read();
    expect(agreement).toMatchObject({
      licence: "mit",
      digest: MIT_DIGEST,
      ip: "127.0.0.1",
      user_agent: "crowdai/1 test",
      where: "terminal",
    });
    expect((await read(await test.addParticipant("grace"))).agreement).toBeNull();
  });

  it("is one row with time, address, program, place and text, however often it is given", async () => {
    const earliest = Date.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => agree(MIT_DIGEST)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const later = await agree(MIT_DIGEST, { headers: { "user-agent": "another" } });
    expect(((await later.json()) as Agreement).user_agent).toBe("crowdai/1 test");

    const rows = await test.records.db.selectFrom("agreements").selectAll().execute();
    expect(rows).toEqual([
      {
        id: 1,
        participant_id: 1,
        licence: "mit",
        text_sha256: MIT_DIGEST,
        agreed_at: expect.any(String),
        ip: "127.0.0.1",
        user_agent: "crowdai/1 test",
        given_at: "terminal",
        member: null,
      },
    ]);
    expect(Date.parse(rows[0]!.agreed_at)).toBeGreaterThanOrEqual(earliest);
    expect(await test.records.db.selectFrom("licence_texts").selectAll().execute()).toMatchObject([
      { sha256: MIT_DIGEST, text: MIT_TEXT },
    ]);
  });

  it("is never changed or removed once it is recorded", async () => {
    await agree(MIT_DIGEST);
    const { db } = test.records;
    await expect(db.updateTable("agreements").set({ ip: "1.2.3.4" }).execute()).rejects.toThrow(
      "never changed",
    );
    await expect(db.deleteFrom("agreements").execute()).rejects.toThrow("never changed");
    await expect(db.deleteFrom("licence_texts").execute()).rejects.toThrow("never changed");
  });

  it("ignores an X-Forwarded-For header from an untrusted client", async () => {
    await agree(MIT_DIGEST, { headers: { "x-forwarded-for": "203.0.113.66" } });
    expect((await read()).agreement?.ip).toBe("127.0.0.1");
  });

  it("rejects another text's digest and records nothing", async () => {
    const refused = await agree("0".repeat(64));
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ error: { code: "agreement_outdated" } });
    expect((await read()).agreement).toBeNull();
  });

  it("to an earlier text is listed, and does not count for the current one", async () => {
    const { db } = test.records;
    const earlier = "a".repeat(64);
    const at = "2020-01-01T00:00:00.000Z";
    await db
      .insertInto("licence_texts")
      .values({ sha256: earlier, licence: "mit", text: "old", kept_at: at })
      .execute();
    await db
      .insertInto("agreements")
      .values({
        participant_id: 1,
        licence: "mit",
        text_sha256: earlier,
        agreed_at: at,
        ip: "192.0.2.1",
        user_agent: "x",
        given_at: "page",
      })
      .execute();
    expect((await read()).agreement).toBeNull();
    expect(await findAgreement(db, { id: 1 })).toBeNull();
    await agree(MIT_DIGEST);
    const answer = await test.fetch("/api/v1/agreements");
    const kept = (await answer.json()) as { agreements: Agreement[] };
    expect(kept.agreements.map((one) => [one.digest, one.where])).toEqual([
      [earlier, "page"],
      [MIT_DIGEST, "terminal"],
    ]);
  });

  it("is reported in the session and by /me", async () => {
    const session = async (): Promise<Session> => (await test.connect()).session;
    expect((await session()).agreed).toBe(false);
    expect(await (await test.fetch("/api/v1/me")).json()).toMatchObject({ agreed: false });
    await agree(MIT_DIGEST);
    expect((await session()).agreed).toBe(true);
    expect(await (await test.fetch("/api/v1/me")).json()).toMatchObject({ agreed: true });
  });

  it("requires a participant's key; organizers need none", async () => {
    expect((await test.fetch("/api/v1/agreements/mit", { key: null })).status).toBe(401);
    expect((await test.fetch("/api/v1/agreements/mit", { key: null, method: "POST", body: {} })).status).toBe(
      400,
    );
  });

  it.each([{ digest: MIT_DIGEST }, { where: "terminal" }, { digest: MIT_DIGEST, where: "flag" }, {}])(
    "refuses the malformed %j",
    async (body) => {
      expect((await test.fetch("/api/v1/agreements/mit", { method: "POST", body })).status).toBe(400);
      expect(await test.records.db.selectFrom("agreements").selectAll().execute()).toEqual([]);
    },
  );

  it("is required: without it, an intent to publish is rejected with the page and the command, and nothing is recorded", async () => {
    const code = { commit: "a".repeat(40), tree: "b".repeat(40), files: 1, bytes: 10 };
    const client = await test.connect();
    const intent = {
      id: createSubmissionId(),
      input: { kind: "inline" as const, data: { score: 1 } },
      code,
      publish: true,
    };
    await expect(client.submit(intent)).rejects.toMatchObject({
      code: "agreement_missing",
      next: expect.stringContaining("crowdai agree"),
      details: {
        action_required: "agree",
        url: `${test.broker.url}/agreement/mit`,
        command: "crowdai agree",
      },
    });
    for (const table of ["submissions", "slots", "publish_wishes"] as const)
      expect(await test.records.db.selectFrom(table).selectAll().execute()).toEqual([]);
  });

  it("puts the author's name and year into a published repository's license, whatever the name contains", () => {
    expect(mitLicense(2026, "$& <b>Ada</b>")).toContain("\nCopyright (c) 2026 $& <b>Ada</b>\n");
  });
});

describe("the address of an agreement", () => {
  it("is the one that a trusted proxy reports", async () => {
    const test = await startBroker({ withGrader: false, env: { TRUSTED_PROXIES: "127.0.0.0/8, ::1" } });
    try {
      await fetch(`${test.broker.url}/api/v1/agreements/mit`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${test.key}`,
          "content-type": "application/json",
          "x-forwarded-for": "203.0.113.66, 2001:DB8::7, 127.0.0.9",
        },
        body: JSON.stringify({ digest: MIT_DIGEST, where: "page" }),
      });
      const rows = await test.records.db.selectFrom("agreements").selectAll().execute();
      expect(rows).toMatchObject([{ ip: "2001:db8::7", given_at: "page" }]);
    } finally {
      await test.close();
    }
  });
});
