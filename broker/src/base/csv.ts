/** A value of a CSV file; null is an empty one. */
export type CsvValue = string | number | boolean | null;

/**
 * Returns a line of a CSV file (RFC 4180). A text that a spreadsheet would run as a formula gets an
 * apostrophe in front, as OWASP advises: names and messages are participants' own.
 */
export function csvLine(values: readonly CsvValue[], end = "\r\n"): string {
  return (
    values.map((value) => quoted(typeof value === "string" ? safe(value) : String(value ?? ""))).join(",") +
    end
  );
}

const safe = (text: string) => (/^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text);

const quoted = (text: string) =>
  /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
