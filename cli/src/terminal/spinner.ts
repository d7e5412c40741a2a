import type { Writable } from "node:stream";
import { createLiveLine } from "./live-line.ts";
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
  /**
   * Clears the line until the next frame, so that something else can be printed; with `isHeld`, until it is
   * cleared again.
   */
  clear(isHeld?: boolean): void;
}

export interface SpinnerOptions {
  text: string;
  stderr: Writable & { columns?: number };
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
  const shown = options.animates
    ? createLiveLine({ ...options, text: plainLine(options.text) })
    : quiet
      ? silence()
      : lines(options);
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
    clear(isHeld) {
      if (!ended) shown.clear(isHeld);
    },
  };
}

interface Display {
  update(text: string): void;
  clear(isHeld?: boolean): void;
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
