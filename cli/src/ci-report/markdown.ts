import { plainText } from "../terminal/plain-text.ts";

/** Longer texts are cut: a report is read at a glance, and `crowdai show` prints them in full. */
const MAX_CELL = 500;
/**
 * Each line has markup of its own, so that a text of line breaks alone would make a report too long for a
 * comment.
 */
const MAX_LINES = 100;

/**
 * Returns a text from outside for a table cell or a line of Markdown, as it is: no markup, no line of its
 * own, no mention that notifies people.
 */
export function codeText(text: string, limit = MAX_CELL): string {
  const all = cut(plainText(text).trim(), limit).split("\n");
  const lines = all.length > MAX_LINES ? [...all.slice(0, MAX_LINES - 1), "…"] : all;
  return lines.map((line) => `<code>${entities(line) || " "}</code>`).join("<br>");
}

/** Returns a title for Markdown. Mentions and references to issues in it stay text. */
export function titleText(text: string): string {
  return entities(cut(plainText(text).replace(/\s+/g, " ").trim(), MAX_CELL)).replace(
    /&#(64|35);/g,
    "$&\u200b",
  );
}

/** Returns a link, or the text alone if the address is not an http(s) URL. */
export function linkText(text: string, url: string | null): string {
  if (url === null || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return codeText(text);
  const address = new URL(url).href.replaceAll("&", "&amp;").replace(/[|"<>`']/g, encodeURIComponent);
  return `<a href="${address}">${codeText(text)}</a>`;
}

/** Returns rows as a table of two columns. */
export function factTable(rows: readonly (readonly [string, string | null])[]): string {
  const lines = rows.filter(([, value]) => value !== null).map(([name, value]) => `| ${name} | ${value} |`);
  return lines.length === 0 ? "" : ["| | |", "| --- | --- |", ...lines].join("\n");
}

/** Returns at most `limit` UTF-16 units of a text, whole characters, with a mark where it was cut. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text.toWellFormed();
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`.toWellFormed();
}

/**
 * Replaces everything that is markup in Markdown or HTML, also the dot that makes an address of "www." a
 * link.
 */
function entities(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{M} .,;\-+/=()%]|\p{Cn}|(?<=www)\./giu, (c) => `&#${c.codePointAt(0)};`);
}
