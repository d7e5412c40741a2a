import { suggest } from "../protocol/suggest.ts";
import type { CsvColumn, CsvShape } from "./check-config.ts";
import { type CsvRecord, createCsvReader } from "./csv-reader.ts";
import { collectProblems, type FormatProblems, problemAt, problemOf, shownValue } from "./format-problem.ts";
import { type IdList, type IdUse, useIds } from "./id-list.ts";
import { type Bytes, readCsv } from "./read-csv.ts";
import { plainValue, valueProblem } from "./value-problem.ts";

/**
 * Checks a CSV file against its shape. `ids` are those that the shape names; null when they are not checked.
 */
export async function checkCsv(bytes: Bytes, shape: CsvShape, ids: IdList | null): Promise<FormatProblems> {
  const { found, add } = collectProblems();
  let columns: Column[] | null = null;
  let width = 0;
  let rows = 0;
  const idColumn = shape.columns.find(({ name }) => name === shape.ids?.column);
  const use = ids && idColumn ? useIds(ids, (id) => plainValue(id, idColumn)) : null;

  function takeRecord(record: CsvRecord) {
    if (columns === null) {
      width = record.fields.length;
      columns = readHeader(record, shape, add);
      return;
    }
    rows++;
    const { fields, row, line } = record;
    if (fields.length !== width)
      return add(() => problemAt({ row, line }, `expected ${count(width, "value")}, got ${fields.length}`));
    for (const { column, at, isId } of columns) {
      const value = fields[at]!;
      const problem = valueProblem(value, column) ?? (isId ? (use?.take(value, row) ?? null) : null);
      if (problem !== null) add(() => problemAt({ row, line, column: column.name, value }, problem));
    }
  }

  const unreadable = await readCsv(bytes, createCsvReader(shape, takeRecord));
  if (unreadable) {
    add(() => unreadable);
    return found;
  }
  if (columns === null) {
    add(() => problemOf(`the file is empty; expected a header with ${namesOf(shape.columns)}`));
    return found;
  }
  for (const problem of endProblems(shape, rows, columns, use)) add(() => problem);
  return found;
}

interface Column {
  column: CsvColumn;
  /** Its place in a row. */
  at: number;
  isId: boolean;
}

type Add = ReturnType<typeof collectProblems>["add"];

/** Returns where the columns are that a header has, and reports the missing and the unknown ones. */
function readHeader({ fields, row, line }: CsvRecord, shape: CsvShape, add: Add): Column[] {
  const names = shape.columns.map(({ name }) => name);
  const known = new Set(names);
  const isHeader = fields.some((field) => known.has(field.trim()));
  if (!isHeader) {
    const got = fields.slice(0, MAX_NAMED).map(shownValue).join(", ");
    add(() => problemAt({ row, line }, `expected a header with ${namesOf(shape.columns)}, got ${got}`));
    return [];
  }
  const seen = new Map<string, number>();
  for (const [at, field] of fields.entries()) {
    const name = field.trim();
    if (seen.has(name))
      add(() => problemAt({ row, line, value: name }, `the column ${shownValue(name)} occurs twice`));
    else seen.set(name, at);
    if (!known.has(name) && !shape.extra_columns) add(() => unknownColumn({ row, line }, name, names));
  }
  for (const name of names)
    if (!seen.has(name)) add(() => problemAt({ row, line }, `the column ${shownValue(name)} is missing`));
  return shape.columns.flatMap((column) => {
    const at = seen.get(column.name);
    return at === undefined ? [] : [{ column, at, isId: column.name === shape.ids?.column }];
  });
}

function unknownColumn(place: { row: number; line: number }, name: string, known: string[]) {
  const near = suggest(name, known);
  const hint = near === null ? "" : `; did you mean ${shownValue(near)}?`;
  const what = name === "" ? "a column without a name" : `the column ${shownValue(name)}`;
  return problemAt({ ...place, value: name }, `${what} is unknown${hint}`);
}

const MAX_NAMED = 5;

function namesOf(columns: readonly CsvColumn[]): string {
  const more = columns.length > MAX_NAMED ? ` and ${columns.length - MAX_NAMED} more` : "";
  return (
    columns
      .slice(0, MAX_NAMED)
      .map(({ name }) => shownValue(name))
      .join(", ") + more
  );
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;

/** Returns the problems that show only at the end: the number of rows, and missing ids. */
function endProblems({ rows, ids }: CsvShape, got: number, columns: readonly Column[], use: IdUse | null) {
  const { minimum, maximum } =
    typeof rows === "number" ? { minimum: rows, maximum: rows } : (rows ?? { minimum: 0 });
  const least = minimum ?? 0;
  const most = maximum ?? Number.POSITIVE_INFINITY;
  const problems = [];
  if (got < least || got > most) {
    const wanted =
      least === most ? count(least, "row") : got < least ? `at least ${least} rows` : `at most ${most} rows`;
    problems.push(problemOf(`expected ${wanted} below the header, got ${got}`));
  }
  const missing = columns.some(({ isId }) => isId) ? use?.missing() : null;
  if (ids && missing && missing.total > 0) {
    const listed = missing.first.map(shownValue).join(", ");
    const more =
      missing.total > missing.first.length ? ` and ${missing.total - missing.first.length} more` : "";
    problems.push(
      problemOf(
        `column ${shownValue(ids.column)}: ${count(missing.total, "id")} ${missing.total === 1 ? "is" : "are"} missing: ${listed}${more}`,
        { column: ids.column },
      ),
    );
  }
  return problems;
}
