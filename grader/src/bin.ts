import process from "node:process";
import { main } from "./main.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    // The second asks to be gone now; jobs in hand are handed out again by the queue.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });

process.exitCode = await main({
  args: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
