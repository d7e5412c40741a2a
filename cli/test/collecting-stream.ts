import readline from "node:readline";
import { Writable } from "node:stream";

/** A stream that collects what is written to it, as a terminal or as a pipe. */
export function collectingStream({ isTTY = false, columns = 80 } = {}) {
  let text = "";
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += String(chunk);
      stream.emit("wrote");
      done();
    },
  });
  const cursor = {
    isTTY,
    columns,
    rows: 24,
    cursorTo: (x: number, y?: number) => readline.cursorTo(stream, x, y),
    moveCursor: (dx: number, dy: number) => readline.moveCursor(stream, dx, dy),
    clearLine: (direction: readline.Direction) => readline.clearLine(stream, direction),
  };
  return { stream: isTTY ? Object.assign(stream, cursor) : stream, text: () => text };
}
