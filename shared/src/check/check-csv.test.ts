import { describe, expect, it } from "vitest";
import { type CsvShape, csvShapeSchema } from "./check-config.ts";
import { checkCsv } from "./check-csv.ts";
import { createCsvReader } from "./csv-reader.ts";

const shape = (changes: object = {}): CsvShape =>
  csvShapeSchema.parse({ columns: ["id", { name: "label", type: "number" }], ...changes });

/** Checks a text that arrives in pieces of a few bytes, and as a whole. Returns the problems, one a line. */
async function problemsOf(text: string | Uint8Array, wanted = shape(), ids: string[] | null = null) {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 3) pieces.push(bytes.subarray(at, at + 3));
  const whole = await checkCsv([bytes], wanted, ids);
  const inPieces = await checkCsv(pieces, wanted, ids);
  expect(inPieces).toEqual(whole);
  return whole.problems.map((problem) => problem.text);
}

describe("a CSV file", () => {
  it.each([
    ["plain lines", "id,label\na,1\nb,2.5\n"],
    ["no line break at the end", "id,label\na,1"],
    ["a byte-order mark", "\ufeffid,label\na,1\n"],
    ["CRLF", "id,label\r\na,1\r\nb,2\r\n"],
    ["CR alone", "id,label\ra,1\rb,2\r"],
    ["quotes", '"id","label"\n"a","1"\n"b ""x"", c","2"\n'],
    ["a line break in quotes", 'id,label\n"a\nb",1\n"c\r\nd",2\n'],
    ["blank lines", "\nid,label\n\na,1\n\n\n"],
    ["columns in another order", "label,id\n1,a\n"],
    ["spaces around numbers", "id,label\na, 1 \n"],
    ["minus zero and exponents", "id,label\na,-0\nb,1e-7\nc,.5\nd,+3.\n"],
    ["no row", "id,label\n"],
  ])("with %s passes", async (_, text) => {
    expect(await problemsOf(text)).toEqual([]);
  });

  it.each([
    ["cat", "expected a number, got `cat`"],
    ["NaN", "expected a number, got `NaN`"],
    ["Infinity", "expected a number, got `Infinity`"],
    ["-inf", "expected a number, got `-inf`"],
    ["1e999", "expected a number that a double can represent, got `1e999`"],
    ['"1,5"', "expected a number, got `1,5`"],
    ["1_000", "expected a number, got `1_000`"],
    ["0x10", "expected a number, got `0x10`"],
    ["١٢", "expected a number, got `١٢`"],
    ["１２", "expected a number, got `１２`"],
    ["", "expected a number, got nothing"],
    ["\u001b[31m", "expected a number, got `\\u001b[31m`"],
  ])("with the number %j is refused", async (value, problem) => {
    expect(await problemsOf(`id,label\na,${value}\n`)).toEqual([`row 2, column \`label\`: ${problem}`]);
  });

  it("names the row, and the line where a quoted value has line breaks", async () => {
    const { problems } = await checkCsv(
      [new TextEncoder().encode('id,label\n"a\nb",1\nc,x\n')],
      shape(),
      null,
    );
    expect(problems).toEqual([
      {
        ...{ row: 3, line: 4, column: "label", value: "x", path: null },
        text: "row 3 (line 4), column `label`: expected a number, got `x`",
      },
    ]);
  });

  it("keeps twenty problems and counts all", async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => `${i},x\n`).join("");
    const { problems, total } = await checkCsv(
      [new TextEncoder().encode(`id,label\n${rows}`)],
      shape(),
      null,
    );
    expect([problems.length, total]).toEqual([20, 1000]);
  });

  it("is compared with the ids of the challenge", async () => {
    const wanted = shape({ ids: { column: "id", values: ["a", "b", "c", "d"] } });
    expect(await problemsOf("id,label\na,1\nx,1\na,2\nb,1\n", wanted, ["a", "b", "c", "d"])).toEqual([
      "row 3, column `id`: `x` is not an id of the challenge",
      "row 4, column `id`: `a` occurs twice; row 2 has it already",
      "column `id`: 2 ids are missing: `c`, `d`",
    ]);
  });

  it("is compared with ids that are numbers whatever spaces surround them", async () => {
    const columns = [{ name: "id", type: "integer" }];
    const wanted = shape({ columns, ids: { column: "id", values: [7, 8] } });
    expect(await problemsOf("id\n 7\n8 \n 7 \n", wanted, [" 7", "8"])).toEqual([
      "row 4, column `id`: `7` occurs twice; row 2 has it already",
    ]);
  });

  it("has rows that fit into memory, whatever its size", () => {
    const limits = { value: 100, values: 100, record: 1000 };
    const reader = createCsvReader({ delimiter: ",", limits }, () => {});
    reader.push("id,label\n");
    const value = `"${"x".repeat(99)}",`;
    for (let at = 0; at < 10; at++) reader.push(value);
    expect(() => reader.push(value)).toThrow("longer than 1000 characters");
  });

  it.each([
    [3, "expected 3 rows below the header, got 1"],
    [{ minimum: 2 }, "expected at least 2 rows below the header, got 1"],
    [{ minimum: 0, maximum: 0 }, "expected 0 rows below the header, got 1"],
  ])("has the number of rows %j", async (rows, problem) => {
    expect(await problemsOf("id,label\na,1\n", shape({ rows }))).toEqual([problem]);
  });

  it("has the values, ranges and types of its columns", async () => {
    const columns = [
      { name: "kind", values: ["cat", "dog"] },
      { name: "age", type: "integer", minimum: 0, maximum: 30 },
      { name: "tame", type: "boolean", empty: true },
    ];
    const text = "kind,age,tame\ncat,3,true\ncow,1.5,yes\ndog,-1,\ndog,31,0\n";
    expect(await problemsOf(text, shape({ columns }))).toEqual([
      "row 3, column `kind`: expected one of `cat`, `dog`, got `cow`",
      "row 3, column `age`: expected a whole number, got `1.5`",
      "row 3, column `tame`: expected true or false, got `yes`",
      "row 4, column `age`: expected at least 0, got `-1`",
      "row 5, column `age`: expected at most 30, got `31`",
    ]);
  });

  it.each([
    ["", "the file is empty; expected a header with `id`, `label`"],
    ["\n\n", "the file is empty; expected a header with `id`, `label`"],
    ["a,1\nb,2\n", "row 1: expected a header with `id`, `label`, got `a`, `1`"],
    ["id\na\n", "row 1: the column `label` is missing"],
    ["id,label,labl\na,1,2\n", "row 1: the column `labl` is unknown; did you mean `label`?"],
    ["id,label,\na,1,\n", "row 1: a column without a name is unknown"],
    ["id,label,id\na,1,b\n", "row 1: the column `id` occurs twice"],
    ["id,label\na\n", "row 2: expected 2 values, got 1"],
    ["id,label\na,1,5\n", "row 2: expected 2 values, got 3"],
    ['id,label\na,"1\n', "row 2: a quote is not closed"],
    [new Uint8Array([0xff, 0xfe, 0x69, 0x00]), "expected UTF-8 text, got UTF-16"],
    [new Uint8Array([0x69, 0x64, 0xe9, 0x0a]), "row 1: expected UTF-8 text, got other bytes"],
  ])("like %j is refused", async (text, problem) => {
    expect(await problemsOf(text)).toEqual([problem]);
  });

  it.each([
    ["é,1\r\n", "in Latin-1"],
    ["eé", "in Latin-1, at the end of the file"],
    ["é€,1\n", "cut in the middle of a character"],
  ])("that is not UTF-8 is read up to the row in which it is not: %j, %s", async (row, how) => {
    const before = "id,label\né€😀,1\r\nb,x\n";
    const after = how.startsWith("cut") ? Buffer.from(row).subarray(0, 4) : Buffer.from(row, "latin1");
    expect(await problemsOf(Buffer.concat([Buffer.from(before), after, Buffer.from("c,2\n")]))).toEqual([
      "row 3, column `label`: expected a number, got `x`",
      "row 4: expected UTF-8 text, got other bytes",
    ]);
  });

  it("may have other columns where the challenge allows them", async () => {
    expect(await problemsOf("id,label,note\na,1,x\n", shape({ extra_columns: true }))).toEqual([]);
  });

  it.each([
    ["a value", "x", "row 1: a value is longer than 1048576 characters"],
    ["values", ",", "row 1: more than 100000 values"],
  ])("of one endless line of %s is read only at its beginning", async (_, text, problem) => {
    const piece = new TextEncoder().encode(text.repeat(64 * 1024));
    let read = 0;
    function* endless() {
      for (; ; read++) yield piece;
    }
    const { problems } = await checkCsv(endless(), shape(), null);
    expect(problems.map((one) => one.text)).toEqual([problem]);
    expect(read).toBeLessThan(32);
  });
});
