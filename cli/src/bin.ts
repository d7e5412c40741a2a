import { main } from "./main.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    // The second time nothing is waited for any more.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });

// A reader that closed the pipe, like `head`, is not an error. Commands that still follow something then end too. `main`
// reports other failures of stdout; those of stderr cannot be reported.
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
// What a library left open must not keep the shell waiting; everything is written.
setTimeout(() => process.exit(), 200).unref();
