import type { Writable } from "node:stream";
import type { Ora } from "ora";
import { plainLine } from "./plain-text.ts";
import type { Style } from "./style.ts";
import { withoutCommands } from "./workflow-command.ts";

const SECONDS_BETWEEN_LINES = 10;

export interface Spinner {
  readonly ended: boolean;
  /** Changes the text. Without a terminal, a line is printed at most every ten seconds. */
  update(text: string): void;
  /** Stops; the symbol and the text stay visible. */
  succeed(text: string): void;
  fail(text: string): void;
  /** Stops and erases the line. Does nothing if it has stopped. */
  stop(): void;
  /** Clears the line until the next frame, so that something else can be printed. */
  clear(): void;
}

export interface SpinnerOptions {
  text: string;
  stderr: Writable;
  animates: boolean;
  quiet: boolean;
  /** Whether the runner of GitHub Actions reads stderr, and obeys commands in it. */
  isRunner: boolean;
  unicode: boolean;
  style: Style;
  symbols: { done: string; failed: string };
}

export function createSpinner(options: SpinnerOptions): Spinner {
  const { stderr, style, symbols, quiet } = options;
  const shown = options.animates ? animation(options) : quiet ? silence() : lines(options);
  let ended = false;
  const end = (mark: string, text: string) => {
    if (ended) return;
    ended = true;
    shown.stop();
    if (!quiet) stderr.write(`${mark} ${plainLine(text)}\n`);
  };
  return {
    get ended() {
      return ended;
    },
    update(text) {
      if (!ended) shown.update(plainLine(text));
    },
    succeed: (text) => end(style.green(symbols.done), text),
    fail: (text) => end(style.red(symbols.failed), text),
    stop() {
      if (ended) return;
      ended = true;
      shown.stop();
    },
    clear() {
      if (!ended) shown.clear();
    },
  };
}

interface Display {
  update(text: string): void;
  clear(): void;
  stop(): void;
}

function silence(): Display {
  return { update() {}, clear() {}, stop() {} };
}

function lines({ text, stderr, isRunner }: SpinnerOptions): Display {
  const safe = (line: string) => (isRunner ? withoutCommands(line) : line);
  let last = plainLine(text);
  stderr.write(`${safe(last)}\n`);
  let current = last;
  let due: NodeJS.Timeout | undefined;
  let printed = performance.now();
  const print = () => {
    due = undefined;
    if (current === last) return;
    last = current;
    printed = performance.now();
    stderr.write(`${safe(current)}\n`);
  };
  return {
    update(next) {
      current = next;
      const left = printed + SECONDS_BETWEEN_LINES * 1000 - performance.now();
      // The last text is printed even if no other follows.
      if (left <= 0) print();
      else due ??= setTimeout(print, left).unref();
    },
    clear() {},
    stop: () => clearTimeout(due),
  };
}

/** Loads ora in parallel with the work; work that ends earlier shows no spinner. */
function animation({ text, stderr, unicode, style }: SpinnerOptions): Display {
  let current = plainLine(text);
  let stopped = false;
  let spinner: Ora | null = null;
  const shown = import("ora").then(({ default: ora }) => {
    if (stopped) return;
    spinner = ora({
      text: current,
      stream: stderr as NodeJS.WritableStream,
      isEnabled: true,
      // It would put stdin into raw mode and delay Ctrl+C.
      discardStdin: false,
      spinner: unicode ? "dots" : "line",
      color: style.cyan("") === "" ? false : "cyan",
    }).start();
  });
  // A failing spinner must not end the work.
  shown.catch(() => {});
  return {
    update(next) {
      current = next;
      if (spinner) spinner.text = next;
    },
    clear() {
      spinner?.clear();
    },
    stop() {
      stopped = true;
      spinner?.stop();
    },
  };
}
