import { createLineReader } from "../../base/line-reader.ts";
import { createTail } from "../../base/tail.ts";
import type { EvaluatorProcess, ProcessOptions } from "./evaluator-process.ts";
import { startBoxed } from "./start-boxed.ts";
import { startConfined } from "./start-confined.ts";

/** The longest line an evaluator may print, and the most bytes and lines per job. */
export const MAX_LINE_BYTES = 10 * 1024 * 1024;
export const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
export const MAX_OUTPUT_LINES = 1_000_000;
export const MAX_STDERR_BYTES = 64 * 1024;

/**
 * Starts an evaluator, in a box or in its own session and process group. Memory stays bounded whatever it
 * prints.
 */
export function startProcess(options: ProcessOptions): EvaluatorProcess {
  const started = options.launch.box ? startBoxed(options, options.launch.box) : startConfined(options);
  const { stdin, stdout, stderr } = started;

  let printed = 0;
  let counted = 0;
  let limitExceeded = false;
  const exceedLimit = (what: string) => {
    limitExceeded = true;
    stdout.destroy();
    options.onOutputLimit(what);
  };
  const onLine = (line: Buffer) => {
    if (limitExceeded) return;
    if (++counted > MAX_OUTPUT_LINES) exceedLimit(`more than ${MAX_OUTPUT_LINES} lines`);
    else options.onLine(line);
  };
  const lines = createLineReader(MAX_LINE_BYTES, onLine, () =>
    exceedLimit(`a line of more than ${MAX_LINE_BYTES} bytes`),
  );
  stdout.on("data", (chunk: Buffer) => {
    if (limitExceeded) return;
    printed += chunk.length;
    if (printed > MAX_OUTPUT_BYTES) exceedLimit(`more than ${MAX_OUTPUT_BYTES} bytes`);
    else lines.push(chunk);
  });
  const tail = createTail(MAX_STDERR_BYTES);
  stderr.on("data", (chunk: Buffer) => tail.add(chunk));
  // A broken pipe is ignored: the exit of the process is what counts.
  for (const stream of [stdin, stdout, stderr]) stream?.on("error", () => {});

  function resetCounts(): void {
    printed = 0;
    counted = 0;
  }

  return {
    write: (text) => void stdin?.write(text),
    endInput: () => void stdin?.end(),
    resetCounts,
    startJob() {
      resetCounts();
      tail.clear();
    },
    stderr: () => tail.text(),
    kill: started.kill,
    takeFiles: started.takeFiles,
    ended: started.ended.then((end) => ({ ...end, rest: limitExceeded ? Buffer.alloc(0) : lines.rest() })),
  };
}
