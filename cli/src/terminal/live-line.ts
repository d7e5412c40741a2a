import type { Writable } from "node:stream";
import { cutToWidth, textWidth } from "./cut-to-width.ts";
import type { Style } from "./style.ts";

const FRAME_MS = 100;
const UNICODE_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const ASCII_FRAMES = "|/-\\";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

export interface LiveLineOptions {
  text: string;
  stderr: Writable & { columns?: number };
  unicode: boolean;
  style: Style;
}

/**
 * Shows a text with a sign of life on the last line of a terminal, never wider than the terminal. It is drawn ten times a
 * second and no oftener, however often it changes; work that ends before the first frame shows nothing.
 */
export function createLiveLine({ text, stderr, unicode, style }: LiveLineOptions) {
  const frames = [...(unicode ? UNICODE_FRAMES : ASCII_FRAMES)];
  let current = text;
  let frame = 0;
  /** The width of the line on the screen; 0 when there is none. */
  let drawn = 0;
  let isHeld = false;
  const columns = () => stderr.columns || 80;
  const showCursor = () => void stderr.write(SHOW_CURSOR);

  /** Returns what erases the line, also one that a terminal made narrower has wrapped. */
  function erasing(): string {
    const rows = Math.floor(Math.max(0, drawn - 1) / columns());
    return `\r${rows > 0 ? `\u001b[${rows}A` : ""}\u001b[J`;
  }
  function draw(): void {
    if (isHeld) return;
    const sign = style.cyan(frames[frame++ % frames.length]!);
    // A full last column would let some terminals wrap.
    const line = cutToWidth(current, columns() - 3, unicode);
    const before = drawn > columns() ? erasing() : "\r";
    if (drawn === 0) process.once("exit", showCursor);
    stderr.write(`${drawn === 0 ? HIDE_CURSOR : ""}${before}${sign} ${line}\u001b[K`);
    drawn = 2 + textWidth(line);
  }
  function clear(): void {
    if (drawn === 0) return;
    stderr.write(`${erasing()}${SHOW_CURSOR}`);
    process.off("exit", showCursor);
    drawn = 0;
  }
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();

  return {
    update(next: string) {
      current = next;
    },
    /** Erases the line until the next frame; with `isHeld`, until it is cleared again. */
    clear(held = false) {
      clear();
      isHeld = held;
    },
    stop() {
      clearInterval(timer);
      clear();
    },
  };
}
