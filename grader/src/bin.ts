import process from "node:process";
import { closeInheritedFiles } from "@crowdai/shared/close-inherited-files";
import { exitSoon } from "@crowdai/shared/exit-soon";
import { armCrashPoints } from "@crowdai/shared/marked-steps";
import { reuseCompiledCode } from "@crowdai/shared/reuse-compiled-code";
import { watchOutput } from "@crowdai/shared/watch-output";

// Before anything is opened.
closeInheritedFiles();
reuseCompiledCode(process.env);
armCrashPoints(process.env.CROWDAI_CRASH_FILE);
watchOutput(process);
// The users of boxes read what the grader writes for them. What is not for them is in closed folders.
process.umask(process.umask() & 0o022);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    // A second signal exits at once. The queue delivers the running jobs again.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });

// Loaded when compiled code can be reused.
const { main } = await import("./main.ts");
process.exitCode = await main({
  args: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
exitSoon();
