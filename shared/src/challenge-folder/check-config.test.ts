import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadChallengeFolder } from "./load-challenge-folder.ts";

const CSV = { columns: ["id", "label"] };
let root: string;
let dir: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "check-config-"));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  dir = await mkdtemp(join(root, "challenge-"));
  await write("public/test.csv", "id,x\na,1\nb,2\n");
  await write("public/schema.json", '{"type":"array"}');
  await write("public/sample.csv", "id,label\na,1\nb,2\n");
  await write("private/answers.csv", "id,label\na,1\n");
});

async function write(name: string, text: string) {
  await mkdir(join(dir, name, ".."), { recursive: true });
  await writeFile(join(dir, name), text);
}

async function load(check: unknown, changes: object = {}) {
  const evaluator = { command: ["true"] };
  await write(
    "challenge.json",
    JSON.stringify({ id: "one", title: "One", score: {}, evaluator, check, ...changes }),
  );
  return (await loadChallengeFolder(dir)).config.check;
}

describe("the check of a challenge", () => {
  it("has defaults, and the schema of the file that it names", async () => {
    expect(await load(undefined)).toBeNull();
    const ids = { column: "id", file: "public/test.csv" };
    const check = await load({
      schema: "public/schema.json",
      csv: { ...CSV, ids },
      sample: "public/sample.csv",
    });
    expect(check).toMatchObject({ schema: { type: "array" }, function: null, charge: false });
    expect(check?.csv?.columns[0]).toEqual({ name: "id", type: "text", empty: false });
  });

  it.each([
    [{}, 'check: expected "schema", "csv" or "function", got none of them'],
    [{ function: "submit" }, 'check.function: expected a function other than submit, got "submit"'],
    [{ csv: { columns: [] } }, "check.csv.columns: expected a non-empty list, got an empty list"],
    [{ csv: { columns: ["a", "a"] } }, 'check.csv.columns[1].name: expected a unique name, got "a"'],
    [{ csv: { ...CSV, ids: { column: "id" } } }, 'check.csv.ids: expected "file" or "values", got neither'],
    [
      { csv: { ...CSV, ids: { column: "nr", values: ["1"] } } },
      'check.csv.ids.column: expected one of check.csv.columns, got "nr"',
    ],
    [
      { csv: { ...CSV, ids: { column: "id", file: "private/answers.csv" } } },
      'check.csv.ids.file: expected a file in public/, which everyone can download, got "private/answers.csv"',
    ],
    [
      { csv: { ...CSV, ids: { column: "label", file: "public/test.csv" } } },
      "check.csv.ids.file: expected a CSV file of ids, got public/test.csv: expected a column `label`",
    ],
    [
      { csv: CSV, sample: "public/test.csv" },
      "public/test.csv: expected a file that passes the check, got row 1: the column `x` is unknown",
    ],
    [{ schema: { type: "arry" } }, "check.schema.type: expected a valid JSON Schema"],
    [
      { schema: "public/test.csv" },
      "check.schema: expected a JSON Schema, got public/test.csv is not valid JSON",
    ],
    [{ schema: "public/none.json" }, "check.schema: expected a file of the challenge folder"],
    [
      { csv: { columns: [{ name: "id", maximum: 3 }] } },
      'check.csv.columns[0].maximum: expected a column of type "number" or "integer", got "text"',
    ],
    [
      { csv: { columns: [{ name: "x", type: "number", minimum: 3, maximum: 1 }] } },
      "check.csv.columns[0].maximum: expected at least the minimum, 3, got 1",
    ],
  ])("is refused as %j", async (check, problem) => {
    await expect(load(check)).rejects.toThrow(problem);
  });

  it.each([
    [{ csv: CSV }, { accepts: { json: {} } }, "check.csv: expected accepts.file"],
    [{ csv: CSV }, { accepts: { file: { unpack: true } } }, 'check: expected "function" alone'],
    [
      { function: "check" },
      { evaluator: { job_factory: { redis: "redis://127.0.0.1", namespace: "a" } } },
      "check.function: expected an evaluator that graders start, got a job factory",
    ],
    [
      { function: "check" },
      { run: { command: ["true"], input: "private/answers.csv", output: { path: "out.csv" } } },
      "check: expected no such field, because the challenge takes code or agents",
    ],
  ])("as %j does not go with %j", async (check, changes, problem) => {
    await expect(load(check, changes)).rejects.toThrow(problem);
  });
});
