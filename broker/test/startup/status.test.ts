import { afterAll, beforeAll, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { createPageClient } from "../pages/page-client.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

let test: TestBroker;
let organizer: string;
let stranger: string;
const graded: string[] = [];
let crashed: string;

beforeAll(async () => {
  test = await startBroker({
    challenges: [
      {
        title: "A <test>",
        webhooks: [{ url: "https://chat.invalid/secret-path", events: ["challenge.closed"] }],
      },
      { id: "other", visibility: { private: true } },
    ],
    intervals: { graderReport: 100 },
  });
  const now = new Date().toISOString();
  organizer = await addOrganizer(test.records, "olga", ["test"], now);
  stranger = await addOrganizer(test.records, "otto", ["other"], now);
  const bob = await test.connect({ key: await test.addParticipant("bob") });
  for (const client of [await test.connect(), bob]) {
    const { submission } = await client.submit({ input: { kind: "inline", data: { score: 0.5 } } });
    await untilEnd(client, submission.id);
    graded.push(submission.id);
  }
  const { submission } = await bob.submit({ input: { kind: "inline", data: { crash: true } } });
  await untilEnd(bob, submission.id);
  crashed = submission.id;
  const { db } = test.records;
  await db
    .updateTable("submissions")
    .set({ evaluator_version: "abc1" })
    .where("id", "=", graded[0] as string)
    .execute();
  const [hook] = await db.selectFrom("webhooks").select("id").execute();
  await db
    .insertInto("webhook_messages")
    .values({
      ...{ webhook: hook!.id, event: "challenge.closed", subject: "1", data: "{}", created_at: now },
      ...{ next_try_at: now, ended_at: now, outcome: "given_up", problem: "it answered 500" },
    })
    .execute();
});
afterAll(() => test?.close());

const status = async (...args: string[]) =>
  (await runCommand(test.folder, ["status", "--data", "data", ...args])).stdout;

it("shows the queue, graders, failures with their log, versions, hours and webhooks", async () => {
  const found = await until(async () => {
    const read = JSON.parse(await status("test", "--json"));
    return read.graders.graders.length > 0 && read;
  });
  expect(found).toMatchObject({
    schema_version: 1,
    disk: { free_bytes: expect.any(Number) },
    graders: { graders: [{ grader: expect.stringMatching(/^embedded-/), challenges: ["other", "test"] }] },
    challenges: [
      {
        ...{ challenge: "test", waiting: 0, waiting_since: null, grading: 0, unable: [] },
        graders: [expect.stringMatching(/^embedded-/)],
        ungraded: [{ submission: crashed, code: "evaluator_crashed", log: expect.any(Array) }],
        versions: expect.arrayContaining([{ version: "abc1", entries: 1 }]),
        webhooks: [{ host: "chat.invalid", waiting: 0, given_up: 1, problem: "it answered 500" }],
      },
    ],
  });
  const [challenge] = found.challenges;
  expect(challenge.versions).toHaveLength(2);
  expect(challenge.ungraded[0].log.join()).toContain("exit code 3");
  const hours = challenge.submissions_by_hour as { submissions: number }[];
  expect(hours.reduce((sum, { submissions }) => sum + submissions, 0)).toBe(3);
});

it("prints the same for a person, without addresses of webhooks", async () => {
  const text = await status();
  expect(text).toMatch(/^disk +[\d.]+ \wB of [\d.]+ \wB free at /);
  expect(text).toMatch(/grader +embedded-\w+: \d+ jobs? at a time of other, test/);
  expect(text).toMatch(/\ntest\n {2}queue +0 waiting; 0 in grading by 1 grader\n {2}versions .*abc1: 1/);
  expect(text).toContain("webhook   chat.invalid: 1 given up, 0 waiting; it answered 500");
  expect(text).toContain(`failed    ${crashed} at `);
  expect(text).not.toContain("secret-path");
});

it("is a page for organizers of the challenge, and for no one else", async () => {
  const [olga, otto, ada, anyone] = [0, 1, 2, 3].map(() => createPageClient(test));
  await olga!.signIn(organizer);
  await otto!.signIn(stranger);
  await ada!.signIn(test.key);
  const page = await olga!.get("/challenges/test/status");
  expect(page.status).toBe(200);
  const html = await page.text();
  for (const part of ["A &lt;test&gt;", crashed, "exit code 3", "abc1", "chat.invalid", "it answered 500"])
    expect(html).toContain(part);
  expect(html).not.toContain("secret-path");
  expect(await (await olga!.get("/challenges/test")).text()).toContain("/challenges/test/status");
  for (const other of [otto, ada, anyone]) {
    const refused = await other!.get("/challenges/test/status");
    expect([refused.status, await refused.text()]).toEqual([403, expect.not.stringContaining(crashed)]);
    expect(await (await other!.get("/challenges/test")).text()).not.toContain("/challenges/test/status");
  }
  expect((await ada!.get("/challenges/other/status")).status).toBe(404);
});

it("says that no broker has reported its graders", async () => {
  const empty = await runCommand(test.folder, ["status", "--data", "empty"]);
  expect(empty).toMatchObject({ code: 0, stdout: expect.stringContaining("graders   unknown") });
});
