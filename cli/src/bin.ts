import { writeSync } from "node:fs";
import { main } from "./main.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    // A second signal ends the program without waiting.
    if (stop.signal.aborted) {
      writeSync(2, "\nStopped without cleaning up. `crowdai submissions` shows what the broker has.\n");
      process.exit(130);
    }
    stop.abort(name);
  });

// A reader that closes the pipe, as `head` does, is not an error. Commands that still follow something end
// then too. `main` reports other failures of stdout; those of stderr cannot be reported.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") stop.abort();
  });

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise((flushed) => stream.write("", flushed))),
);
// Handles that a library left open must not keep the shell waiting; all output is written.
setTimeout(() => process.exit(), 200).unref();
