import { closeInheritedFiles } from "@crowdai/shared/close-inherited-files";
import { exitSoon } from "@crowdai/shared/exit-soon";
import { handleSignals } from "@crowdai/shared/handle-signals";
import { armCrashPoints } from "@crowdai/shared/marked-steps";
import { reuseCompiledCode } from "@crowdai/shared/reuse-compiled-code";
import { watchOutput } from "@crowdai/shared/watch-output";

// Before anything is opened.
closeInheritedFiles();
reuseCompiledCode(process.env);
armCrashPoints(process.env.CROWDAI_CRASH_FILE);
const { onSignal } = handleSignals(process);
watchOutput(
  process,
  "Check the free disk space. If a new key was not printed, replace it with `participant key` or `organizer key`.",
);

// Loaded when compiled code can be reused.
const { main } = await import("./main.ts");
process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal,
});
exitSoon();
