import type { Readable, Writable } from "node:stream";
import { plainLine, plainText } from "./plain-text.ts";
import { createSpinner, type Spinner } from "./spinner.ts";
import { createStyle, type Style } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";

export type Format = "text" | "json" | "ndjson";
export type { Spinner } from "./spinner.ts";
export type { Style } from "./style.ts";
export type { Cell } from "./table.ts";

export interface TerminalOptions {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  format: Format;
  quiet: boolean;
  /** False for --no-color. */
  color: boolean;
}

/** One answer in each of the ways it may be asked for. */
export interface Answer {
  /** The one document of --format json. */
  json: object;
  /** The lines of --format ndjson. */
  ndjson: readonly object[];
  /** The lines of --quiet: ids, or the one useful word. */
  quiet: readonly string[];
  /** Prints the text, for people and pipes. */
  text: () => void;
}

/**
 * The person's, or the pipe's, side of a command. The answer goes to stdout, the talk to stderr. Nothing that comes
 * through here can move the cursor or colour the text, except the style's own colours.
 */
export interface Terminal {
  readonly format: Format;
  readonly quiet: boolean;
  /** Whether a person can be asked: stdin and stdout are terminals, no CI, and the answer is text. */
  readonly isInteractive: boolean;
  /** Whether the answer lands on a terminal, and so is laid out for eyes. */
  readonly isForEyes: boolean;
  /** Whether the one JSON document of --format json was printed. */
  readonly answered: boolean;
  /** Colours for stdout; each returns its text unchanged where colours are off. */
  readonly style: Style;
  /** Colours for stderr. */
  readonly noteStyle: Style;
  /** Symbols that the terminal can show. */
  readonly symbols: { done: string; failed: string; warning: string; dot: string; up: string; down: string };

  /** Prints the answer in the way that was asked for. */
  present(answer: Answer): void;
  /** Lines of the answer, on stdout. */
  answer(text: string): void;
  /** The one document of --format json. schema_version is added. */
  json(document: object): void;
  /** One line of --format ndjson. schema_version is added. */
  ndjson(line: object): void;
  /** Talk, on stderr; silent with --quiet. */
  note(text: string): void;
  /** Talk that --quiet does not silence: something is odd. */
  warn(text: string): void;
  /** What went wrong, on stderr, in every mode. */
  error(text: string): void;
  /** The command to try next, on stderr; only for people. */
  next(command: string): void;
  /** Rows on stdout: aligned with a header on a terminal, tab-separated, whole and without header in a pipe. */
  table(header: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Shows that something goes on, on stderr. Without a terminal: a line at the start and one every ten seconds. */
  spinner(text: string): Spinner;
  /** Takes away what still moves. */
  close(): void;
  /** A bar, as `█████░░░░░`, for `fraction` from 0 to 1. */
  bar(fraction: number, width?: number): string;
}

export function createTerminal(options: TerminalOptions): Terminal {
  const { env, stdin, stdout, stderr, format, quiet } = options;
  const ci = isCi(env);
  // A terminal that says it is 0 columns wide (a pseudo-terminal nobody sized, as in some CI) makes a spinner
  // erase infinitely many lines.
  const sized = stderr.columns === undefined || stderr.columns > 0;
  const animates = stderr.isTTY === true && sized && !ci && env.TERM !== "dumb" && !quiet;
  const unicode = isUnicode(env);
  const style = createStyle(wantsColor(stdout, options));
  const noteStyle = createStyle(wantsColor(stderr, options));
  let spinning: Spinner | null = null;
  let answered = false;

  const toOut = (text: string) => {
    spinning?.clear();
    stdout.write(`${plainText(text, { keepColors: true })}\n`);
  };
  const toErr = (text: string) => {
    spinning?.clear();
    stderr.write(`${plainText(text, { keepColors: true })}\n`);
  };
  const symbols = unicode
    ? { done: "✔", failed: "✖", warning: "⚠", dot: "·", up: "▲", down: "▼" }
    : { done: "+", failed: "x", warning: "!", dot: "-", up: "^", down: "v" };

  const terminal: Terminal = {
    format,
    quiet,
    isInteractive: stdin.isTTY === true && stdout.isTTY === true && !ci && format === "text",
    isForEyes: stdout.isTTY === true,
    get answered() {
      return answered;
    },
    style,
    noteStyle,
    symbols,
    present({ json, ndjson, quiet: words, text }) {
      if (format === "json") terminal.json(json);
      else if (format === "ndjson") for (const line of ndjson) terminal.ndjson(line);
      else if (quiet) for (const word of words) terminal.answer(plainLine(word));
      else text();
    },
    answer: toOut,
    json(document) {
      answered = true;
      stdout.write(`${jsonText({ schema_version: 1, ...document }, 2)}\n`);
    },
    ndjson(line) {
      stdout.write(`${jsonText({ schema_version: 1, ...line })}\n`);
    },
    note(text) {
      if (!quiet) toErr(text);
    },
    warn(text) {
      toErr(`${noteStyle.yellow(symbols.warning)} ${text}`);
    },
    error: toErr,
    next(command) {
      if (!quiet && format === "text") toErr(`${noteStyle.dim("next:")} ${noteStyle.bold(command)}`);
    },
    table(header, rows) {
      const width = stdout.isTTY === true ? stdout.columns || 80 : null;
      for (const line of formatTable(header, rows, { width, style, unicode })) toOut(line);
    },
    spinner(text) {
      spinning?.stop();
      spinning = createSpinner({ text, stderr, animates, quiet, unicode, style: noteStyle, symbols });
      return spinning;
    },
    close() {
      spinning?.stop();
    },
    bar(fraction, width = 20) {
      const full = Math.round(Math.min(1, Math.max(0, fraction || 0)) * width);
      return (unicode ? "█" : "#").repeat(full) + (unicode ? "░" : ".").repeat(width - full);
    },
  };
  return terminal;
}

/** Escapes what JSON leaves alone but a terminal obeys: DEL, the C1 controls and marks that turn text around. */
function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function wantsColor(stream: { isTTY?: boolean }, { env, color, format }: TerminalOptions): boolean {
  if (!color || env.NO_COLOR || format !== "text") return false;
  if (isOn(env.FORCE_COLOR) || isOn(env.CLICOLOR_FORCE)) return true;
  return stream.isTTY === true && env.TERM !== "dumb" && env.CLICOLOR !== "0" && env.FORCE_COLOR !== "0";
}

function isCi(env: TerminalOptions["env"]): boolean {
  return isOn(env.CI);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

/** The locale's own word, as programs of the C library take it; Windows terminals tell by their kind. */
function isUnicode(env: TerminalOptions["env"]): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  if (locale) return /utf-?8/i.test(locale);
  if (env.WT_SESSION || env.TERM_PROGRAM === "vscode") return true;
  return process.platform === "darwin";
}
