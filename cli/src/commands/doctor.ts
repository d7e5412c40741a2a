import { CrowdaiError } from "@crowdai/shared";
import type { DoctorCheck } from "../doctor/check-result.ts";
import { runChecks } from "../doctor/run-checks.ts";
import { plainText } from "../terminal/plain-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";

/** Checks what a submission needs. A failed check does not stop the others. */
export async function doctor(
  { io, connection, terminal }: CommandContext,
  _args: object,
  options: { strict?: boolean },
): Promise<number> {
  const spinner = terminal.isForEyes ? terminal.spinner("Running checks") : null;
  const found = await runChecks(io, connection);
  spinner?.stop();
  const exitCode = exitCodeOf(found, options.strict === true);
  const checks = found.map(({ error, ...result }) => ({
    ...result,
    ...(error ? { error: error.toBody() } : {}),
  }));
  terminal.present({
    json: { healthy: exitCode === 0, checks, exit_code: exitCode },
    ndjson: checks.map((check) => ({ type: "check", check })),
    quiet: found.filter(({ status }) => status === "failed").map(({ name }) => name),
    text: () => {
      for (const result of found) terminal.answer(line(result, terminal));
    },
  });
  return exitCode;
}

function line({ name, status, message, error }: DoctorCheck, { style, symbols }: Terminal): string {
  const mark = {
    ok: style.green(symbols.done),
    warning: style.yellow(symbols.warning),
    failed: style.red(symbols.failed),
    skipped: style.dim(symbols.dot),
  }[status];
  return `${mark} ${name}: ${plainText(message)}${error?.next ? `\n    ${plainText(error.next)}` : ""}`;
}

function exitCodeOf(found: readonly DoctorCheck[], strict: boolean): number {
  const failed = found.find(({ status }) => status === "failed");
  if (failed) return (failed.error ?? new CrowdaiError("unexpected")).exitCode;
  return strict && found.some(({ status }) => status === "warning") ? 1 : 0;
}
