import process from "node:process";
import { closeInheritedFiles } from "@crowdai/shared/close-inherited-files";
import { exitSoon } from "@crowdai/shared/exit-soon";
import { armCrashPoints } from "@crowdai/shared/marked-steps";
import { watchOutput } from "@crowdai/shared/watch-output";
import { main } from "./main.ts";

// Before anything is opened.
closeInheritedFiles();
armCrashPoints(process.env.CROWDAI_CRASH_FILE);
watchOutput(process);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    // A second signal exits at once. The queue delivers the running jobs again.
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
exitSoon();
