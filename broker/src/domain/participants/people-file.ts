import { CrowdaiError } from "@crowdai/shared";
import { CsvError, parse } from "csv-parse/sync";
import { NAME, nameKey } from "./api-keys.ts";
import { KEY_NAME } from "./key-names.ts";

/**
 * A row of a file of participants: a key, and with it a participant, unless an earlier row has the same name.
 */
export interface PersonRow {
  line: number;
  name: string;
  label?: string;
  member?: string;
  challenges: string[];
}

export interface PeopleFile {
  rows: PersonRow[];
  /** Columns that the file uses, in the order of the output. */
  columns: ("name" | "label" | "member")[];
  /** Columns that mean nothing here. */
  ignored: string[];
}

const COLUMNS = ["name", "label", "member", "challenges"] as const;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_SHOWN = 20;

/** Collects errors with their line numbers, to report them all at once. */
export class LineErrors {
  readonly #lines: { line: number; text: string }[] = [];
  add(line: number, text: string): void {
    this.#lines.push({ line, text });
  }
  /** Throws usage when there are errors. */
  check(): void {
    if (this.#lines.length === 0) return;
    this.#lines.sort((a, b) => a.line - b.line);
    const shown = this.#lines.slice(0, MAX_SHOWN).map(({ line, text }) => `  line ${line}: ${text}`);
    const more = this.#lines.length - shown.length;
    if (more > 0) shown.push(`  … and ${more} more`);
    throw new CrowdaiError("usage", `The file has errors, so nothing was added:\n${shown.join("\n")}`, {
      next: "Fix these lines, then run the command again.",
      details: { lines: this.#lines },
    });
  }
}

/**
 * Reads a CSV file of participants: a header with `name` and optionally `label`, `member` and `challenges`,
 * separated by commas or, as spreadsheets in some languages write it, semicolons or tabs. Throws usage with
 * all errors.
 */
export function readPeopleFile(bytes: Uint8Array): PeopleFile {
  const errors = new LineErrors();
  const [header, ...records] = readRecords(bytes);
  const names = (header?.record ?? []).map((name) => name.toLowerCase());
  if (!names.includes("name"))
    throw new CrowdaiError("usage", 'The first line of the file has no column "name".', {
      next: "Start the file with the line `name`, or `name,label,member,challenges`.",
    });
  const twice = COLUMNS.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
  if (twice) throw new CrowdaiError("usage", `The first line of the file has two columns "${twice}".`);

  const rows: PersonRow[] = [];
  for (const { line, record } of records) {
    if (record.length > names.length) {
      errors.add(line, `it has ${record.length} values, and the header ${names.length}`);
      continue;
    }
    const value = (column: (typeof COLUMNS)[number]) => record[names.indexOf(column)] ?? "";
    const [label, member] = [value("label"), value("member")];
    const challenges = value("challenges")
      .split(/[\s,;]+/)
      .filter(Boolean);
    const row = { line, name: value("name"), challenges };
    if (!NAME.test(row.name))
      errors.add(line, row.name === "" ? "the name is missing" : `${shown(row.name)} is not a valid name`);
    for (const text of [label, member])
      if (text !== "" && !KEY_NAME.test(text))
        errors.add(line, `${shown(text)} is not a valid name of a key`);
    rows.push({ ...row, ...(label ? { label } : {}), ...(member ? { member } : {}) });
  }
  reportRepeated(rows, errors);
  errors.check();
  if (rows.length === 0) throw new CrowdaiError("usage", "The file names no participants.");
  const used = (["label", "member"] as const).filter((column) => rows.some((row) => row[column]));
  return {
    rows,
    columns: ["name", ...used],
    ignored: (header?.record ?? []).filter(
      (name) => name !== "" && !COLUMNS.some((column) => column === name.toLowerCase()),
    ),
  };
}

/** A name may be repeated for the members of a team, each with a key of its own. */
function reportRepeated(rows: readonly PersonRow[], errors: LineErrors): void {
  const first = new Map<string, PersonRow>();
  const keys = new Map<string, number>();
  for (const row of rows) {
    const name = nameKey(row.name);
    const known = first.get(name);
    if (!known) first.set(name, row);
    else if (!row.member || !known.member)
      errors.add(row.line, `${shown(row.name)} is already on line ${known.line}`);
    const key = JSON.stringify([name, nameKey(row.label ?? row.member ?? "")]);
    const same = keys.get(key);
    if (same === undefined) keys.set(key, row.line);
    else if (row.member && known?.member)
      errors.add(
        row.line,
        `${shown(row.name)} has a key ${shown(row.label ?? row.member)} already on line ${same}`,
      );
  }
}

function readRecords(bytes: Uint8Array): { line: number; record: string[] }[] {
  if (bytes.length > MAX_BYTES) throw new CrowdaiError("usage", "The file is larger than 16 MB.");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).normalize("NFC");
  } catch (cause) {
    throw new CrowdaiError("usage", "The file is not UTF-8.", {
      next: 'Save it as "CSV UTF-8" in the spreadsheet program.',
      cause,
    });
  }
  try {
    const records = parse(text, {
      delimiter: delimiterOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records
      .filter(({ record }) => record.some((value) => value !== ""))
      .map(({ record, info }) => ({ record, line: info.lines }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new CrowdaiError("usage", `The file is not valid CSV: ${cause.message}.`, { cause });
  }
}

/** Of the characters that may separate values, the one that the header has. */
function delimiterOf(text: string): string {
  const header = text.trimStart().split(/[\r\n]/, 1)[0] ?? "";
  return [",", ";", "\t"].find((character) => header.includes(character)) ?? ",";
}

const shown = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
