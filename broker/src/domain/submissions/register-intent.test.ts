import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Intent, intentSchema } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeMigratedSqlite } from "../../../test/support/migrated-sqlite.ts";
import { embeddedWebapp } from "../../background/webapp/embedded-webapp.ts";
import type { Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { disqualify } from "../eligibility/disqualify.ts";
import { createQueuePositions } from "../graders/queue-positions.ts";
import type { Caller } from "../participants/api-keys.ts";
import { type IntentNeeds, registerIntent } from "./register-intent.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-register-intent-"));
const config = challengeConfigSchema.parse({
  id: "sums",
  title: "Sums",
  score: { precision: 6, order: "descending" },
  accepts: { json: {} },
  evaluator: { command: ["true"] },
});
const caller: Caller = { kind: "participant", id: 1, name: "ada", keyHash: "" };
const now = new Date("2026-01-01T00:00:00Z");
let records: Records;
let context: IntentNeeds;

beforeAll(async () => {
  const file = join(folder, "records.sqlite");
  await writeMigratedSqlite(file);
  records = await openSqlite(file);
  await records.db
    .insertInto("participants")
    .values({ id: caller.id, name: caller.name, name_key: caller.name, created_at: now.toISOString() })
    .execute();
  const served = { config, version: "1", data: [], bundle: null };
  context = {
    records,
    catalog: { all: () => new Map([[config.id, served]]), get: () => served },
    clock: () => now,
    webapp: embeddedWebapp(records.db, () => now),
    graders: { all: () => [], serving: () => [], servingSessions: async () => [], lastSeen: () => null },
    runsCode: () => false,
    gradingTimes: { record() {}, meanMs: () => null },
    queuePositions: createQueuePositions(),
    baseUrl: () => "http://broker",
    announce() {},
    dispatchSoon() {},
    dispatchStalled: () => false,
  } as unknown as IntentNeeds;
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const intentOf = (id: string): Intent =>
  intentSchema.parse({ id, challenge: config.id, input: { kind: "inline", data: 1 } });

describe("a message that is sent twice", () => {
  it("is never refused for a decision that came after its twin was registered", async () => {
    const intent = intentOf("01HZZZZZZZZZZZZZZZZZZZZZ01");
    await registerIntent(context, caller, intent, undefined);
    const at = now.toISOString();
    await disqualify(records, { name: caller.name, challenge: null, now: at, reason: "for a test" });
    // As a broker that looked for the submission before its twin was registered.
    const again = await registerIntent(context, caller, intent, undefined);
    expect(again.submission).toMatchObject({ id: intent.id, state: "submitted" });
    const other = intentOf("01HZZZZZZZZZZZZZZZZZZZZZ02");
    await expect(registerIntent(context, caller, other, undefined)).rejects.toMatchObject({
      code: "disqualified",
    });
  });
});
