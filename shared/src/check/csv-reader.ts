/** A record of a CSV file. */
export interface CsvRecord {
  fields: string[];
  /** Number of the record in the file, starting at 1. Blank lines count. */
  row: number;
  /** The line on which it starts. */
  line: number;
}

/** An error that makes the rest of a file unreadable. */
export class CsvFault extends Error {
  /** Where its record begins. Bun gives errors a `line` of their own. */
  readonly place: { row: number; line: number };

  constructor(message: string, place: { row: number; line: number }) {
    super(message);
    this.place = place;
  }
}

export interface CsvLimits {
  /** The most characters of a value. */
  value: number;
  /** The most values of a row. */
  values: number;
  /** The most characters of a row. */
  record: number;
}

const LIMITS: CsvLimits = { value: 1024 * 1024, values: 100_000, record: 32 * 1024 * 1024 };

/** A reader of CSV text that arrives in pieces. It keeps one record in memory, never more. */
export interface CsvReader {
  push(text: string): void;
  end(): void;
  /** Returns where the record begins that is being read. */
  place(): { row: number; line: number };
}

/**
 * Reads CSV as spreadsheets and Python do: quotes around values, doubled inside them; lines that end with LF,
 * CRLF or CR; a byte-order mark; blank lines, which are skipped. Throws CsvFault for an open quote and for
 * values beyond the limits.
 */
export function createCsvReader(
  { delimiter, limits = LIMITS }: { delimiter: string; limits?: CsvLimits },
  onRecord: (record: CsvRecord) => void,
): CsvReader {
  let fields: string[] = [];
  let field = "";
  /** Characters of the values before the current one. */
  let size = 0;
  let state: "start" | "plain" | "quoted" | "quote in quoted" = "start";
  let row = 1;
  let line = 1;
  let from = 1;
  let afterReturn = false;
  let isFirst = true;

  const fault = (message: string) => new CsvFault(message, { row, line: from });

  function take(more: string) {
    field += more;
    if (field.length > limits.value) throw fault(`a value is longer than ${limits.value} characters`);
  }

  function endField() {
    if (fields.length >= limits.values) throw fault(`more than ${limits.values} values`);
    size += field.length;
    if (size > limits.record) throw fault(`longer than ${limits.record} characters`);
    fields.push(field);
    field = "";
    state = "start";
  }

  function endRecord() {
    const isBlank = fields.length === 0 && field === "" && state === "start";
    endField();
    if (!isBlank) onRecord({ fields, row, line: from });
    fields = [];
    size = 0;
    row++;
    line++;
    from = line;
  }

  /** Reads a line without quotes at once. Returns whether it could. */
  function takeLine(text: string): boolean {
    if (state !== "start" || fields.length > 0 || field !== "") return false;
    if (text.includes('"') || text.includes("\r")) return false;
    if (text === "") {
      endRecord();
      return true;
    }
    const all = text.split(delimiter);
    if (all.length > limits.values || text.length > limits.value) return false;
    onRecord({ fields: all, row, line: from });
    row++;
    line++;
    from = line;
    return true;
  }

  function takeCharacters(text: string) {
    let at = 0;
    while (at < text.length) {
      const character = text[at]!;
      if (state === "quoted") {
        const end = text.indexOf('"', at);
        const part = end < 0 ? text.slice(at) : text.slice(at, end);
        take(part);
        line += countLines(part);
        at += part.length + (end < 0 ? 0 : 1);
        if (end >= 0) state = "quote in quoted";
        continue;
      }
      at++;
      if (character === '"' && state === "quote in quoted") {
        take('"');
        state = "quoted";
      } else if (character === '"' && state === "start") state = "quoted";
      else if (character === delimiter) endField();
      else if (character === "\n") {
        if (!afterReturn) endRecord();
      } else if (character === "\r") endRecord();
      else {
        state = "plain";
        let end = at;
        while (end < text.length && !isSpecial(text.charCodeAt(end), delimiter)) end++;
        take(text.slice(at - 1, end));
        at = end;
      }
      afterReturn = character === "\r";
    }
  }

  return {
    push(text) {
      let rest = text;
      if (isFirst && text !== "") {
        isFirst = false;
        if (rest.charCodeAt(0) === 0xfeff) rest = rest.slice(1);
      }
      let at = 0;
      while (at < rest.length) {
        const end = rest.indexOf("\n", at);
        if (end < 0) break;
        const stop = rest.charCodeAt(end - 1) === 0x0d && end > at ? end - 1 : end;
        // A line feed that belongs to the carriage return before it, at the end of the last piece.
        if (end === at && afterReturn) afterReturn = false;
        else if (takeLine(rest.slice(at, stop))) afterReturn = false;
        else takeCharacters(rest.slice(at, end + 1));
        at = end + 1;
      }
      takeCharacters(rest.slice(at));
    },
    end() {
      if (state === "quoted") throw fault("a quote is not closed");
      if (state !== "start" || fields.length > 0) endRecord();
    },
    place: () => ({ row, line: from }),
  };
}

const isSpecial = (code: number, delimiter: string) =>
  code === 0x0a || code === 0x0d || code === delimiter.charCodeAt(0);

function countLines(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(at + 1) !== 0x0a)) count++;
  }
  return count;
}
