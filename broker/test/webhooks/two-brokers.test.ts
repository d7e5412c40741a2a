import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { createWebhookSender } from "../../src/background/webhooks/webhook-sender.ts";
import { queueSubmissionMessages } from "../../src/domain/webhooks/queue-messages.ts";
import { readConfig } from "../../src/index.ts";
import { openRecords } from "../../src/records/open.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const MESSAGES = 20;
/** The broker itself sends nothing: the test has the senders of two. */
const NEVER = 3_600_000;

let receiver: Receiver;
let test: TestBroker;
afterEach(async () => {
  await test?.close();
  await receiver?.close();
});

describe.each([
  { name: "SQLite", env: async () => ({}), skipped: false },
  {
    name: "PostgreSQL",
    env: async () => ({ DATABASE_URL: await createDatabase() }),
    skipped: withoutService("postgres"),
  },
])("with records on $name", ({ env, skipped }) => {
  it.skipIf(skipped)("two brokers that send at once send each message once", async () => {
    receiver = await startReceiver();
    const settings: Record<string, string> = await env();
    test = await startBroker({
      challenges: [{ webhooks: [{ url: receiver.url }] }],
      ...{ withGrader: false, intervals: { webhooks: NEVER }, env: settings },
    });
    const client = await test.connect();
    const { submission } = await client.submit({ input: { kind: "inline", data: { score: 1 } } });
    const last = { type: "failed", data: { code: "gave_up", fault: "platform", message: "Gave up." } };
    const at = new Date().toISOString();
    for (const seq of Array(MESSAGES).keys())
      for (const _ of ["", "written again after a crash"])
        await test.records.transaction((trx) =>
          queueSubmissionMessages(trx, { id: submission.id, seq }, last, at),
        );

    const config = readConfig({ data: `${test.folder}/data` }, settings, test.folder);
    const open = async () => {
      // Brokers share no SQLite file: there, two senders of one broker stand for them.
      const records = settings.DATABASE_URL ? await openRecords(config) : test.records;
      const sender = createWebhookSender(
        {
          ...{ records, clock: () => new Date(), log: pino({ level: "silent" }) },
          ...{ catalog: { all: () => new Map() } as never, baseUrl: () => "http://broker.test" },
        },
        { hosts: new Set(["127.0.0.1"]) },
      );
      return { records, sender };
    };
    const brokers = [await open(), await open()];
    try {
      await until(async () => {
        await Promise.all(brokers.map(({ sender }) => sender.send()));
        const left = await test.records.db
          .selectFrom("webhook_messages")
          .select("id")
          .where("ended_at", "is", null)
          .execute();
        return left.length === 0;
      });
    } finally {
      for (const { records, sender } of brokers) {
        await sender.close();
        if (records !== test.records) await records.close();
      }
    }
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(MESSAGES);
    expect(new Set(ids).size).toBe(MESSAGES);
    expect(JSON.parse(receiver.received[0]!.body)).toMatchObject({
      event: "submission.gave_up",
      data: { participant: "ada", url: `http://broker.test/submissions/${submission.id}` },
    });
  });
});
