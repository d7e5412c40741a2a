import { isUtf8 } from "node:buffer";
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { parseJson } from "@crowdai/shared";
import { createLineReader } from "../base/line-reader.ts";
import type { Dialogue } from "./run-in-box.ts";

export interface LineDialogue extends Dialogue {
  /** Why the program was stopped; null when it was not. `detail` may quote an answer. */
  refused(): { what: string; detail: string } | null;
  /** How many lines were answered, of how many. Complete when the program is gone. */
  count(): { answered: number; total: number };
}

/**
 * Gives the lines of a file to a program, and writes its answers to another file, byte by byte as they are: a
 * line of JSON for each. With "one", a line is given when the one before was answered.
 */
export async function createLineDialogue(options: {
  input: string;
  feed: "all" | "one";
  answers: string;
  maxBytes: number;
}): Promise<LineDialogue> {
  const { input, feed, maxBytes } = options;
  let total = 0;
  for await (const _ of readLines(input)) total++;
  // The output of a program that does not read yet is judged alike, however far the grader is.
  let given = feed === "all" ? total : Math.min(total, 1);
  let written = 0;
  // Opened by what is sure to be followed by `finish`, which closes it.
  let file: number | null = null;
  let answered = 0;
  let refused: ReturnType<LineDialogue["refused"]> = null;
  let stop = () => {};
  let isOver = false;
  let wake = () => {};
  let fed: Promise<void> = Promise.resolve();

  function refuse(what: string, detail = what): void {
    refused ??= { what, detail };
    stop();
  }

  function answer(line: Buffer) {
    if (refused || isBlank(line)) return;
    if (answered === given) return refuse(`printed more lines than it was given (${given})`);
    const problem = jsonProblem(line);
    if (problem !== null) {
      const what = `printed a line ${answered + 1} that is not valid JSON`;
      return refuse(what, `${what}: ${problem}`);
    }
    answered++;
    file ??= openSync(options.answers, "wx", 0o600);
    for (const bytes of [line, NEW_LINE])
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    wake();
  }

  const reader = createLineReader(maxBytes, answer, () =>
    refuse(`printed a line of more than ${maxBytes} bytes`),
  );

  async function give(stdin: Writable): Promise<void> {
    const isOpen = () => !isOver && stdin.writable;
    for await (const line of readLines(input)) {
      if (!isOpen()) break;
      given = Math.max(given, ++written);
      const isFlushed = stdin.write(Buffer.concat([line, NEW_LINE]));
      while (isOpen() && (feed === "one" ? answered < written : !isFlushed && stdin.writableNeedDrain))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    stdin.end();
  }

  return {
    begin(stdin, kill) {
      stop = kill;
      for (const event of ["drain", "close", "error"]) stdin.on(event, () => wake());
      fed = give(stdin);
      // Reported by finish.
      fed.catch(kill);
    },
    onStdout: (chunk) => reader.push(chunk),
    async finish() {
      isOver = true;
      wake();
      file ??= openSync(options.answers, "wx", 0o600);
      try {
        answer(reader.rest());
        await fed;
      } finally {
        closeSync(file);
      }
    },
    refused: () => refused,
    count: () => ({ answered, total }),
  };
}

const NEW_LINE = Buffer.from("\n");

/** Returns why a line is not JSON, which may quote it. */
function jsonProblem(line: Buffer): string | null {
  if (!isUtf8(line)) return "it is not UTF-8";
  try {
    parseJson(line.toString("utf8"), "The line");
    return null;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, "");
  }
}

const isBlank = (line: Buffer) => line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);

/** Yields the lines of a file, without those that are blank. */
async function* readLines(path: string): AsyncGenerator<Buffer> {
  let lines: Buffer[] = [];
  const reader = createLineReader(
    Number.POSITIVE_INFINITY,
    (line) => void lines.push(line),
    () => {},
  );
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    reader.push(chunk as Buffer);
    const complete = lines;
    lines = [];
    yield* complete.filter((line) => !isBlank(line));
  }
  const last = reader.rest();
  if (!isBlank(last)) yield last;
}
