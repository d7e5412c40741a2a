import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { sweepChallenges } from "../../src/background/webhooks/sweep-challenges.ts";
import { WEBHOOK_TIMES } from "../../src/background/webhooks/webhook-sender.ts";
import { closeChallenge } from "../../src/domain/publishing/close-challenge.ts";
import { runCommand } from "../support/run-command.ts";
import {
  startBroker,
  type TestBroker,
  type TestClient,
  untilEnd,
  writeChallenge,
} from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";

const DAY = 24 * 3_600_000;
const START = Date.now();
const inDays = (days: number) => new Date(START + days * DAY).toISOString();

const CHALLENGE = {
  title: "A <test> @all",
  webhooks: [] as { url: string; events?: string[] }[],
  rounds: [{ id: "1", ends_at: inDays(10) }],
};

let chat: Receiver;
let other: Receiver;
let test: TestBroker;
let client: TestClient;
let ahead = 0;
const lines: Record<string, unknown>[] = [];
const log = pino({ level: "warn" }, { write: (line) => void lines.push(JSON.parse(line)) });

beforeAll(async () => {
  [chat, other] = [await startReceiver(), await startReceiver()];
  CHALLENGE.webhooks = [
    { url: `${chat.url}/services/secret-path` },
    { url: `${other.url}/hook`, events: ["submission.graded"] },
  ];
  test = await startBroker({
    challenges: [CHALLENGE],
    env: { WEBHOOK_HOSTS: "127.0.0.1" },
    clock: () => new Date(Date.now() + ahead),
    log,
    intervals: { webhooks: 50, webhookSweep: 200 },
    webhookOptions: {
      times: {
        ...WEBHOOK_TIMES,
        ...{ timeoutMs: 1000, restMs: 10, pauses: { firstMs: 20, longestMs: 100 } },
      },
    },
  });
  client = await test.connect();
});
afterAll(async () => {
  await test?.close();
  await chat?.close();
  await other?.close();
});
afterEach(async () => {
  for (const receiver of [chat, other]) {
    receiver.received.length = 0;
    receiver.answer = (_request, response) => void response.writeHead(204).end();
  }
});

const submit = async (data: unknown, more = {}) => {
  const { submission } = await client.submit({ input: { kind: "inline", data }, ...more });
  await untilEnd(client, submission.id);
  return submission.id;
};
const next = (receiver: Receiver, about: string) =>
  until(async () => receiver.received.find(({ body }) => body.includes(about)));
const bodyOf = ({ body }: Received) => JSON.parse(body);
const ended = () =>
  until(async () => {
    const open = await test.records.db
      .selectFrom("webhook_messages")
      .select("id")
      .where("ended_at", "is", null)
      .execute();
    return open.length === 0;
  });

it("sends a grade, signed, with a text for chats", async () => {
  const id = await submit({ score: 0.75 });
  const received = await next(chat, id);
  expect(bodyOf(received)).toEqual({
    event: "submission.graded",
    timestamp: expect.stringMatching(/Z$/),
    data: {
      ...{ challenge: "test", title: "A <test> @all", submission: id, participant: "ada", round: "1" },
      ...{ function: "submit", dry_run: false, score: 0.75, score_secondary: null, rank: 1 },
      url: `${test.broker.url}/submissions/${id}`,
    },
    text: `A &lt;test&gt; @\u200ball: ada scored 0.75 (rank 1). ${test.broker.url}/submissions/${id}`,
  });
  const { headers, body } = received;
  expect(headers["webhook-id"]).toMatch(/^msg_[0-9a-f]{32}$/);
  const { stdout } = await runCommand(test.folder, [
    "challenge",
    "webhooks",
    "test",
    "--data",
    "data",
    "--format",
    "json",
  ]);
  const { webhooks } = JSON.parse(stdout) as { webhooks: { secret: string; url: string }[] };
  expect(webhooks.map(({ url }) => url)).toEqual(CHALLENGE.webhooks.map(({ url }) => url));
  const verify = (secret: string) => verifyAsDocumented(secret, headers, body);
  expect(await Promise.all(webhooks.map(({ secret }) => verify(secret)))).toEqual(["True\n", "False\n"]);
  await next(other, id);
  for (const path of ["/api/v1/challenges/test", "/api/v1/challenges", "/challenges/test"])
    expect(await (await test.fetch(path)).text()).not.toContain("secret-path");
});

it("sends the events that a webhook asks for, and nothing of dry runs, calls and cancellations", async () => {
  const dry = await submit({ score: 1 }, { dry_run: true });
  const call = await submit({ x: 1 }, { function: "evaluate" });
  const rejected = await submit({ reject: "The column id is missing." });
  const crashed = await submit({ crash: true });
  const failed = await next(chat, rejected);
  expect(bodyOf(failed)).toMatchObject({
    event: "submission.failed",
    data: { error: { code: "rejected", fault: "you", message: "The column id is missing." } },
    text: expect.stringContaining("a submission of ada failed: The column id is missing."),
  });
  const gaveUp = await next(chat, crashed);
  expect(bodyOf(gaveUp)).toMatchObject({
    event: "submission.gave_up",
    data: { error: { code: "evaluator_crashed", fault: "challenge" } },
  });
  await ended();
  expect(chat.received.filter(({ body }) => body.includes(dry) || body.includes(call))).toEqual([]);
  expect(other.received).toEqual([]);
});

it("tries again with the same id, while another webhook is not delayed", async () => {
  let left = 3;
  chat.answer = (_request, response) => {
    left -= 1;
    if (left === 2) return;
    response.writeHead(left > 0 ? 500 : 200).end();
  };
  const id = await submit({ score: 0.5 });
  await next(other, id);
  await ended();
  const tries = chat.received.filter(({ body }) => body.includes(id));
  expect(tries.length).toBe(3);
  expect(new Set(tries.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
});

it("gives a message up after two days, and names the host in the log, not its address", async () => {
  chat.answer = (_request, response) => void response.writeHead(500).end();
  const id = await submit({ score: 0.25 });
  await next(chat, id);
  ahead = 2 * DAY;
  await until(async () => lines.find(({ event }) => event === "webhook_given_up"));
  const row = await test.records.db
    .selectFrom("webhook_messages")
    .selectAll()
    .where("submission", "=", id)
    .where("outcome", "=", "given_up")
    .executeTakeFirstOrThrow();
  expect(row.problem).toBe("it answered 500");
  expect(JSON.stringify(lines)).not.toContain("secret-path");
  expect(lines.find(({ event }) => event === "webhook_given_up")).toMatchObject({
    ...{ challenge: "test", webhook: new URL(chat.url).host, about: "submission.graded" },
  });
});

it("drops what waits for a webhook that was removed", async () => {
  other.answer = (_request, response) => void response.writeHead(500).end();
  const id = await submit({ score: 0.1 });
  await next(other, id);
  const [kept] = CHALLENGE.webhooks;
  await writeChallenge(join(test.folder, "challenges"), { ...CHALLENGE, webhooks: [kept] });
  await ended();
  const left = await test.records.db.selectFrom("webhooks").select("url").execute();
  expect(left).toEqual([{ url: kept!.url }]);
});

it("reports a day before its end that a challenge closes, and that it closed", async () => {
  ahead = 9 * DAY + 1000;
  const closing = await next(chat, "challenge.closing");
  expect(bodyOf(closing)).toMatchObject({ data: { challenge: "test", ends_at: inDays(10) } });
  ahead = 10 * DAY + 1000;
  const closed = await next(chat, "challenge.closed");
  expect(bodyOf(closed)).toMatchObject({
    data: { challenge: "test", closed_at: inDays(10) },
    text: expect.stringContaining("closed on"),
  });
  await closeChallenge(test.records, null, "test", { force: true, now: new Date(START + 10 * DAY + 2000) });
  await ended();
  expect(chat.received.filter(({ body }) => body.includes("challenge.clos"))).toHaveLength(2);
});

it("reports that jobs wait without a grader, once until one was there", async () => {
  ahead = 0;
  const idle = await startBroker({
    challenges: [{ webhooks: [{ url: `${chat.url}/idle`, events: ["grader.missing"] }] }],
    env: { WEBHOOK_HOSTS: "127.0.0.1" },
    withGrader: false,
    clock: () => new Date(Date.now() + ahead),
    intervals: { webhooks: 50, webhookSweep: 50 },
  });
  try {
    const session = await idle.connect();
    await session.submit({ input: { kind: "inline", data: { score: 1 } } });
    ahead = 120_000;
    const received = await next(chat, "grader.missing");
    expect(received.path).toBe("/idle");
    const missing = () => chat.received.filter(({ body }) => body.includes("grader.missing"));
    expect(bodyOf(received)).toMatchObject({
      data: {
        ...{ challenge: "test", waiting_since: expect.any(String) },
        reason: expect.stringContaining("no grader has served test"),
      },
    });
    await sweepAgain(idle);
    expect(missing()).toHaveLength(1);

    // A grader was there, as another broker saw it, and is gone again.
    const served = { all: async () => [], serving: async () => [{}], lastSeen: () => new Date() };
    const config = { id: "test", webhooks: [{}], rounds: [{ ends_at: null }] };
    await sweepChallenges({
      ...{ records: idle.records, clock: () => new Date(), dispatchStalled: () => false },
      ...{ runsCode: () => false, graders: served as never },
      catalog: { all: () => new Map([["test", { config }]]) } as never,
    });
    await until(async () => missing().length === 2);
  } finally {
    await idle.close();
  }
});

/** Resolves after another sweep: a challenge that closes now is reported by it. */
async function sweepAgain({ records }: TestBroker): Promise<void> {
  await records.db.updateTable("webhooks").set({ events: '["grader.missing","challenge.closed"]' }).execute();
  await closeChallenge(records, null, "test", { force: true, now: new Date(Date.now() + ahead) });
  await next(chat, "challenge.closed");
}

/** Runs the example of docs/webhooks.md. */
async function verifyAsDocumented(
  secret: string,
  headers: Record<string, string>,
  body: string,
): Promise<string> {
  const page = await readFile(new URL("../../../docs/webhooks.md", import.meta.url), "utf8");
  const example = /(?<=\n\n) {4}import base64[\s\S]*?(?=\n\n\S)/.exec(page)?.[0].replaceAll(/^ {4}/gm, "");
  const given = JSON.stringify([secret, headers, body]);
  const program = `${example}\nimport json, sys\nsecret, headers, body = json.loads(sys.argv[1])\nprint(verified(secret, headers, body.encode()))`;
  return (await promisify(execFile)("python3", ["-c", program, given])).stdout;
}
