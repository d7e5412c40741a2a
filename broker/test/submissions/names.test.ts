import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker, type TestClient } from "../support/test-broker.ts";

const UNSAFE = [
  "gnp.\u202eexe.csv",
  "a\u001b[2J.csv",
  "a\nb.csv",
  "a\u2067.csv",
  "a\u0000.csv",
  "a\u2028.csv",
  "a\ud800.csv",
];
const FILE = { kind: "file" as const, size: 1, sha256: "0".repeat(64) };

let test: TestBroker;
let client: TestClient;
beforeAll(async () => {
  test = await startBroker({ withGrader: false, env: { WEBAPP_TOKEN: "webapp-token-of-this-test" } });
  client = await test.connect();
});
afterAll(() => test.close());

const names = async () =>
  (await test.records.db.selectFrom("submissions").select("input_name").execute()).map(
    (row) => row.input_name,
  );

it.each(UNSAFE)("a file named %j is refused over the socket and over HTTP", async (name) => {
  const refusal = {
    code: "usage",
    message: expect.stringMatching(/^The file name ".*" is not accepted: it /),
  };
  await expect(client.submit({ input: { ...FILE, name } })).rejects.toMatchObject(refusal);
  const body = { id: createSubmissionId(), challenge: "test", input: { ...FILE, name } };
  const answer = await test.fetch("/api/v1/submissions", { method: "POST", body });
  expect(answer.status).toBe(400);
  const text = await answer.text();
  expect(JSON.parse(text).error).toMatchObject(refusal);
  // The message itself does not contain what it refuses.
  expect(JSON.parse(text).error.message).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
  expect(await names()).not.toContain(name);
});

it.each(UNSAFE)("a model named %j is refused", async (name) => {
  const models = [{ name, size: 1, sha256: "0".repeat(64) }];
  await expect(
    client.submit({ input: { kind: "inline", data: { score: 1 } }, models }),
  ).rejects.toMatchObject({ code: "model_refused" });
});

it.each(UNSAFE)("no participant or organizer is named %j", async (name) => {
  await expect(test.addParticipant(name)).rejects.toMatchObject({ code: "usage" });
  await expect(addOrganizer(test.records, name, ["test"], "")).rejects.toMatchObject({ code: "usage" });
});

it("names in every script, with their accents and emoji, are accepted", async () => {
  for (const name of ["Zoë #3.csv", "日本語.csv", "مرحبا.csv", "👩‍💻.csv"])
    expect((await client.submit({ input: { ...FILE, name } })).submission.input?.name).toBe(name);
});

it("a message keeps its lines, and shows what it would hide", async () => {
  const { submission } = await client.submit({
    message: "first\r\n\tsecond \u202e\u001b[31m",
    input: { kind: "inline", data: { score: 1 } },
  });
  expect(submission.message).toBe("first\n\tsecond \\u202e\\u001b[31m");
});
