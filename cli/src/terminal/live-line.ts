import type { Writable } from "node:stream";
import type { Ora } from "ora";
import { cutToWidth } from "./cut-to-width.ts";
import type { Style } from "./style.ts";

/** Ten draws a second, however often the text changes. */
const FRAME_MS = 100;
const UNICODE_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const ASCII_FRAMES = "|/-\\";
/** Columns of the spinner and its space, and a last one that stays empty: some terminals wrap a full line. */
const BESIDE_TEXT = 3;

export interface LiveLineOptions {
  text: string;
  stderr: Writable & { columns?: number };
  unicode: boolean;
  style: Style;
}

/**
 * Shows a text with a spinner on the last line of a terminal, never wider than the terminal. Loads ora in
 * parallel with the work; work that ends earlier shows nothing.
 */
export function createLiveLine({ text, stderr, unicode, style }: LiveLineOptions) {
  let current = text;
  let isHeld = false;
  let stopped = false;
  let spinner: Ora | null = null;
  const fitting = () => cutToWidth(current, (stderr.columns || 80) - BESIDE_TEXT, unicode);

  const shown = import("ora").then(({ default: ora }) => {
    if (stopped) return;
    spinner = ora({
      text: fitting(),
      stream: stderr as NodeJS.WritableStream,
      isEnabled: true,
      // It would put stdin into raw mode and delay Ctrl+C.
      discardStdin: false,
      spinner: { interval: FRAME_MS, frames: [...(unicode ? UNICODE_FRAMES : ASCII_FRAMES)] },
      color: style.cyan("") === "" ? false : "cyan",
    });
    if (!isHeld) spinner.start();
  });
  // A failing spinner must not end the work.
  shown.catch(() => {});

  return {
    update(next: string) {
      current = next;
      if (spinner) spinner.text = fitting();
    },
    /** Erases the line until the next frame; with `isHeld`, until it is cleared again. */
    clear(held = false) {
      if (held) spinner?.stop();
      else if (isHeld && !stopped) spinner?.start();
      else spinner?.clear();
      isHeld = held;
    },
    stop() {
      stopped = true;
      spinner?.stop();
    },
  };
}
