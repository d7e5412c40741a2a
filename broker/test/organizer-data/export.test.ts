import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId } from "@crowdai/shared";
import { parse } from "csv-parse/sync";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { csvLine } from "../../src/base/csv.ts";
import { type Ran, runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd, writeChallenge } from "../support/test-broker.ts";

const CHALLENGE = { columns: [{ key: "x", precision: 1 }] };
let test: TestBroker;
const ids: string[] = [];
let formulaKey: string;

beforeAll(async () => {
  test = await startBroker({ challenges: [CHALLENGE] });
  formulaKey = await test.addParticipant('=HYPERLINK("http://x","y")');
  const client = await test.connect();
  const other = await test.connect({ key: formulaKey });
  for (const [from, input] of [
    [client, { kind: "inline", data: { score: 0.5 } }],
    [other, { kind: "inline", data: { score: 0.25, message: 'a "quoted", text\nof two lines' } }],
    [client, { kind: "inline", data: { crash: true } }],
  ] as const) {
    const id = createSubmissionId();
    ids.push(id);
    await from.submit({ id, input });
    await untilEnd(from, id);
  }
  const { stderr } = await run("participant", "disqualify", "ada", "--reason", "copied");
  expect(stderr).not.toContain("error");
});
afterAll(() => test.close());

const run = (...args: string[]): Promise<Ran> => runCommand(test.folder, [...args, "--data", "data"]);
const exported = (folder: string, ...args: string[]) =>
  run("challenge", "export", "test", "--output", folder, ...args);
const text = (...path: string[]) => readFile(join(test.folder, ...path), "utf8");
const table = async (folder: string, name: string): Promise<Record<string, string>[]> =>
  parse(await text(folder, `${name}.csv`), { columns: true });

it("writes a CSV file with a header for each table", async () => {
  const { code, stdout } = await exported("csv");
  expect(code).toBe(0);
  expect(stdout).toContain("submissions.csv\t3\n");
  const submissions = await table("csv", "submissions");
  expect(submissions.map((row) => [row.submission, row.state, row.score, row.slot, row.input_kind])).toEqual([
    [ids[0], "graded", "0.5", "charged", "json"],
    [ids[1], "graded", "0.25", "charged", "json"],
    [ids[2], "failed", "", "returned", "json"],
  ]);
  expect(submissions[1]).toMatchObject({ grading_message: 'a "quoted", text\nof two lines', "data.x": "" });
  const attempts = await table("csv", "attempts");
  expect(attempts.find(({ submission }) => submission === ids[2])).toMatchObject({
    accepted: "true",
    error_code: "evaluator_crashed",
    organizer_log: expect.stringContaining("exit code 3"),
  });
  expect((await table("csv", "log")).filter(({ submission }) => submission === ids[0]).at(-1)).toMatchObject({
    type: "graded",
    data: expect.stringContaining('"score":0.5'),
  });
  expect(await table("csv", "participants")).toMatchObject([
    { participant: "ada", submissions: "2", disqualified_reason: "copied" },
    { submissions: "1", disqualified_at: "" },
  ]);
  expect(await table("csv", "versions")).toMatchObject([{ graded: "2" }]);
  expect(await table("csv", "board")).toMatchObject([{ round: "1", rank: "1", score: "0.25" }]);
  expect(JSON.parse(await text("csv", "export.json"))).toMatchObject({ challenge: "test", format: "csv" });
});

it("contains profiles with their pictures where the challenge shows them", async () => {
  const image = sharp({ create: { width: 30, height: 20, channels: 3, background: "#f00" } });
  const profile = { name: "Formula", affiliation: "Sheets", link: "https://a.example/" };
  await test.fetch("/api/v1/profile", { key: formulaKey, method: "PATCH", body: profile });
  const put = await fetch(`${test.broker.url}/api/v1/profile/picture`, {
    method: "PUT",
    headers: { authorization: `Bearer ${formulaKey}` },
    body: new Uint8Array(await image.png().toBuffer()),
  });
  const { picture } = (await put.json()) as { picture: string };
  const shown = Buffer.from(await (await fetch(picture)).arrayBuffer());
  await exported("shown", "--files");
  expect(await table("shown", "participants")).toMatchObject([
    { participant: "ada", shown_name: "", link: "" },
    { shown_name: "Formula", affiliation: "Sheets", link: "https://a.example/" },
  ]);
  const file = (await table("shown", "files")).find(({ kind }) => kind === "picture");
  expect(file).toMatchObject({ submission: "", name: "picture.webp", problem: "" });
  expect(await readFile(join(test.folder, "shown", file?.path as string))).toEqual(shown);

  await writeChallenge(join(test.folder, "challenges"), { visibility: { profiles: false } });
  await exported("unshown", "--files");
  expect(await table("unshown", "participants")).toMatchObject([{}, { shown_name: "", affiliation: "" }]);
  expect((await table("unshown", "files")).filter(({ kind }) => kind === "picture")).toEqual([]);
  await writeChallenge(join(test.folder, "challenges"), CHALLENGE);
});

it("keeps a spreadsheet from running a participant's text", async () => {
  await exported("safe");
  expect(await text("safe", "submissions.csv")).toContain(`"'=HYPERLINK(""http://x"",""y"")"`);
  expect(csvLine(["@a", "-1", -1, "a;b", " c", null, true])).toBe(`'@a,'-1,-1,"a;b"," c",,true\r\n`);
});

it("contains no key, digest of a key, address, or key of an object", async () => {
  await exported("secret", "--format", "ndjson", "--files");
  const rows = await test.records.db.selectFrom("api_keys").select("hash").execute();
  for (const name of await readdir(join(test.folder, "secret"))) {
    if (name === "files") continue;
    const written = await text("secret", name);
    for (const secret of [test.key, formulaKey, ...rows.map(({ hash }) => hash), "127.0.0.1", "submissions/"])
      expect(written).not.toContain(secret);
  }
});

it("writes NDJSON with the texts as they are, and the files on request", async () => {
  const client = await test.connect({ key: formulaKey });
  const id = createSubmissionId();
  await client.submit({ id, input: { kind: "inline", data: { score: 0.125, big: 1 } } });
  await untilEnd(client, id);
  await exported("files", "--format", "ndjson", "--files");
  const lines = (await text("files", "files.ndjson"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const mine = lines.find(({ submission }) => submission === id);
  expect(mine).toMatchObject({ kind: "input", name: "input.json", problem: null });
  expect(JSON.parse(await text("files", mine.path))).toEqual({ score: 0.125, big: 1 });
});

it("writes Parquet with types and nulls", async () => {
  await exported("parquet", "--format", "parquet");
  const file = await asyncBufferFromFile(join(test.folder, "parquet", "submissions.parquet"));
  const rows = await parquetReadObjects({ file });
  expect(rows[0]).toMatchObject({ submission: ids[0], score: 0.5, dry_run: false, number: 1n });
  expect(rows[0]?.created_at).toBeInstanceOf(Date);
  expect(rows[2]).toMatchObject({ score: null, error_code: "evaluator_crashed" });
});

it("refuses a folder with files, an unknown challenge, and leaves nothing of what it refused", async () => {
  await mkdir(join(test.folder, "full"));
  await writeFile(join(test.folder, "full", "mine"), "");
  expect(await exported("full")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("not an empty folder"),
  });
  expect(await run("challenge", "export", "tset")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean "test"?'),
  });
  expect((await readdir(test.folder)).filter((name) => name.startsWith("."))).toEqual([]);
});
