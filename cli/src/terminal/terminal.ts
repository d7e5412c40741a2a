import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { stringifyExact } from "@crowdai/shared";
import { wrapWords } from "./cut-to-width.ts";
import { openEventsFile } from "./events-file.ts";
import { findAgent } from "./find-agent.ts";
import { plainLine, plainText } from "./plain-text.ts";
import { redact } from "./redact.ts";
import { createSelection, filteredText } from "./selection.ts";
import { createSpinner, type Spinner } from "./spinner.ts";
import { createStyle, type Style } from "./style.ts";
import { type Cell, formatTable } from "./table.ts";
import { isGithubActions, withoutCommands } from "./workflow-command.ts";

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
  /** Of --fields and --filter; the format is then json. */
  fields?: string | undefined;
  filter?: string | undefined;
  /** The folder that a relative path in CROWDAI_EVENTS starts from. */
  cwd?: string;
}

/** The output of a command, in each format. */
export interface Output {
  /** The document of --format json. */
  json: object;
  /** The lines of --format ndjson. */
  ndjson: readonly object[];
  /** The lines of --quiet: ids, or the most useful value. */
  quiet: readonly string[];
  /** Prints the text, for terminals and pipes. */
  text: () => void;
  /** Commands that may follow, as `next_steps` of the document and of the last line. */
  next?: readonly (string | false | null | undefined)[];
}

/**
 * The terminal or pipe that a command writes to. The output goes to stdout, all other messages to stderr.
 * Text from outside cannot move the cursor or set colors here; only the style can.
 */
export interface Terminal {
  readonly format: Format;
  readonly quiet: boolean;
  /**
   * Whether a person can be asked: stdin and stdout are terminals, outside CI and agents, and the format is
   * text.
   */
  readonly isInteractive: boolean;
  /** The coding agent that runs the command, if one does. */
  readonly agent: string | null;
  /** Whether a CI job runs the command. */
  readonly isCi: boolean;
  /** Whether stdout is a terminal that a person reads, so that the output is laid out for people. */
  readonly isForEyes: boolean;
  /** The width of what is laid out for people; null for a pipe. */
  readonly width: number | null;
  /** The width of the line that shows progress. */
  readonly progressWidth: number;
  /** Whether the id of a new submission stands alone on stdout: as text with --quiet or in a pipe. */
  readonly isIdAlone: boolean;
  /** Whether progress is a line on stderr that changes; otherwise it is lines, at intervals. */
  readonly animates: boolean;
  /** Whether the document of --format json was printed. */
  readonly answered: boolean;
  /** Colors for stdout; each function returns its text unchanged if colors are off. */
  readonly style: Style;
  /** Colors for stderr. */
  readonly noteStyle: Style;
  /** Symbols that the terminal can show, in Unicode or ASCII. */
  readonly symbols: { done: string; failed: string; warning: string; dot: string; up: string; down: string };

  /** The submission of the command, which an error about lost output names. */
  readonly submission: string | null;
  /** Sets that submission. */
  about(submission: string): void;
  /** Prints the output in the chosen format. */
  present(output: Output): void;
  /** Prints lines of the output, on stdout. */
  answer(text: string): void;
  /** Prints the id of a new submission, if it stands alone on stdout. */
  accepted(id: string): void;
  /** Prints lines of a grade: on stdout for people, else on stderr, beside the one value on stdout. */
  outcome(text: string): void;
  /** Throws usage if --fields or --filter names a field that is not one of these. */
  requireFields(known: readonly string[]): void;
  /**
   * Prints the document of --format json, with schema_version added, or what --fields and --filter select of
   * it. A failure is not reduced to fields, and has nothing to filter.
   */
  json(document: object, options?: { isFailure?: boolean }): void;
  /**
   * Prints a line of --format ndjson, with schema_version and time added, and appends it to the file of
   * CROWDAI_EVENTS.
   */
  event(line: object): void;
  /** Prints a message on stderr, except with --quiet. */
  note(text: string): void;
  /** Passes on what the user's own program prints, to stderr. Resolves when there is room for more. */
  print(text: string): Promise<void>;
  /** Prints a warning on stderr, even with --quiet. */
  warn(text: string): void;
  /** Prints an error on stderr, in every mode. */
  error(text: string): void;
  /** Suggests the next command, on stderr; only for people. */
  next(command: string): void;
  /**
   * Prints rows on stdout: aligned, with a header, on a terminal; tab-separated, without a header, in a pipe.
   * On a terminal that is too narrow, texts are cut, those of the columns named in `cut`.
   */
  table(header: readonly string[], rows: readonly (readonly Cell[])[], cut?: readonly string[]): void;
  /** Shows progress on stderr. Without a terminal it prints a line at the start and one every ten seconds. */
  spinner(text: string): Spinner;
  /** Shows on a terminal that work takes longer than a moment, unless a spinner is shown already. */
  waiting<T>(text: string, work: Promise<T>): Promise<T>;
  /** Removes a running spinner. */
  close(): void;
  /** Returns a bar, such as `█████░░░░░`, for a `fraction` from 0 to 1. */
  bar(fraction: number, width?: number): string;
}

/** Terminals of this width or more show most messages in one line. */
const WIDE = 100;
/** How long a command may look idle. */
const MOMENT_MS = 100;

export function createTerminal(options: TerminalOptions): Terminal {
  const { env, stdin, stdout, stderr, format, quiet, fields, filter, cwd = "." } = options;
  const ci = isCi(env);
  const isRunner = isGithubActions(env);
  const agent = findAgent(env);
  const selection = createSelection({ fields, filter });
  // A terminal that is 0 columns wide (an unsized pseudo-terminal, as in some CI) makes a spinner erase lines
  // without end.
  const sized = stderr.columns === undefined || stderr.columns > 0;
  const animates = stderr.isTTY === true && sized && !ci && !agent && env.TERM !== "dumb" && !quiet;
  const unicode = isUnicode(env);
  const isForEyes = stdout.isTTY === true && !agent;
  const style = createStyle(wantsColor(stdout, options, agent));
  const noteStyle = createStyle(wantsColor(stderr, options, agent));
  let spinning: Spinner | null = null;
  let answered = false;
  let submission: string | null = null;

  const safe = (text: string) => {
    const plain = plainText(text, { keepColors: true });
    return isRunner ? withoutCommands(plain) : plain;
  };
  const appendEvent = env.CROWDAI_EVENTS
    ? openEventsFile(env.CROWDAI_EVENTS, cwd, (path, reason) =>
        terminal.warn(`The events cannot be written to ${path} (${reason}).`),
      )
    : () => {};

  const toOut = (text: string) => {
    spinning?.clear();
    stdout.write(`${safe(text)}\n`);
  };
  const toErr = (text: string) => {
    spinning?.clear();
    stderr.write(`${safe(text)}\n`);
  };
  /**
   * Breaks a message between words, as no terminal does by itself. On wide ones, messages stay whole, to be
   * searched and copied.
   */
  const wrapped = (text: string) => {
    const isNarrow = stderr.isTTY && !agent && stderr.columns && stderr.columns < WIDE;
    return isNarrow ? wrapWords(text, stderr.columns!).join("\n") : text;
  };
  const symbols = unicode
    ? { done: "✔", failed: "✖", warning: "⚠", dot: "·", up: "▲", down: "▼" }
    : { done: "+", failed: "x", warning: "!", dot: "-", up: "^", down: "v" };

  const terminal: Terminal = {
    format,
    quiet,
    isInteractive: stdin.isTTY === true && isForEyes && !ci && format === "text",
    agent,
    isCi: ci,
    isForEyes,
    get width() {
      return isForEyes ? stdout.columns || 80 : null;
    },
    animates,
    get progressWidth() {
      return animates ? stderr.columns || 80 : 120;
    },
    isIdAlone: format === "text" && (quiet || !isForEyes),
    get answered() {
      return answered;
    },
    style,
    noteStyle,
    symbols,
    get submission() {
      return submission;
    },
    about(id) {
      submission = id;
    },
    present({ json, ndjson, quiet: lines, text, next = [] }) {
      const steps = next.filter((step) => typeof step === "string").map(redact);
      const withNext = (document: object) =>
        steps.length > 0 ? { ...document, next_steps: steps } : document;
      if (format === "json") terminal.json(withNext(json));
      else if (format === "text" && quiet) for (const line of lines) terminal.answer(plainLine(line));
      else if (format === "text") text();
      if (format === "ndjson" || env.CROWDAI_EVENTS)
        for (const [i, line] of ndjson.entries())
          terminal.event(i === ndjson.length - 1 ? withNext(line) : line);
    },
    answer: toOut,
    accepted(id) {
      if (terminal.isIdAlone) toOut(id);
    },
    outcome: isForEyes ? toOut : toErr,
    requireFields: (known) => selection?.requireFields(known),
    json(document, { isFailure = false } = {}) {
      const whole = { schema_version: 1, ...document };
      const indent = agent ? undefined : 2;
      if (isFailure && selection?.isFilter) return;
      const values = selection && !isFailure ? selection.select(whole) : [whole];
      answered = true;
      for (const value of values)
        stdout.write(`${selection?.isFilter ? safe(filteredText(value)) : jsonText(value, indent)}\n`);
    },
    event(line) {
      const text = jsonText({ schema_version: 1, time: new Date().toISOString(), ...line });
      if (format === "ndjson") stdout.write(`${text}\n`);
      appendEvent(text);
    },
    note(text) {
      if (!quiet) toErr(wrapped(text));
    },
    async print(text) {
      // A line that is not complete yet must not be drawn over.
      spinning?.clear(!text.endsWith("\n"));
      if (!stderr.write(text)) await once(stderr, "drain");
    },
    warn(text) {
      toErr(wrapped(`${noteStyle.yellow(symbols.warning)} ${text}`));
    },
    error: (text) => toErr(wrapped(text)),
    next(command) {
      if (quiet || format !== "text") return;
      if (agent) toErr(`next_steps: ${JSON.stringify([redact(command)])}`);
      else toErr(`${noteStyle.dim("next:")} ${noteStyle.bold(redact(command))}`);
    },
    table(header, rows, cut) {
      for (const line of formatTable(header, rows, { width: terminal.width, style, unicode, cut }))
        toOut(line);
    },
    spinner(text) {
      spinning?.stop();
      spinning = createSpinner({
        text,
        stderr,
        isRunner,
        animates,
        quiet,
        unicode,
        style: noteStyle,
        symbols,
      });
      return spinning;
    },
    async waiting(text, work) {
      let shown: Spinner | undefined;
      const moment = setTimeout(() => {
        if (animates && (spinning?.ended ?? true)) shown = terminal.spinner(text);
      }, MOMENT_MS);
      try {
        return await work;
      } finally {
        clearTimeout(moment);
        shown?.stop();
      }
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

/**
 * Escapes characters that JSON allows and that control a terminal: DEL, C1 controls and marks that change the
 * text direction. So that the runner of GitHub Actions finds no command, also `##[`.
 */
function jsonText(value: unknown, indent?: number): string {
  return stringifyExact(value, indent).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|#(?=#\[)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function wantsColor(
  stream: { isTTY?: boolean },
  { env, color, format }: TerminalOptions,
  agent: string | null,
): boolean {
  if (!color || env.NO_COLOR || format !== "text") return false;
  if (isOn(env.FORCE_COLOR) || isOn(env.CLICOLOR_FORCE)) return true;
  if (agent) return false;
  return stream.isTTY === true && env.TERM !== "dumb" && env.CLICOLOR !== "0" && env.FORCE_COLOR !== "0";
}

function isCi(env: TerminalOptions["env"]): boolean {
  return isOn(env.CI);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

/**
 * Whether the terminal shows Unicode: by the locale, as in programs of the C library, or by the kind of
 * terminal.
 */
function isUnicode(env: TerminalOptions["env"]): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  if (locale) return /utf-?8/i.test(locale);
  if (env.WT_SESSION || env.TERM_PROGRAM === "vscode") return true;
  return process.platform === "darwin";
}
