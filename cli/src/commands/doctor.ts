import { CrowdaiError } from "@crowdai/shared";
import type { Context } from "../context.ts";
import { type Finding, findings } from "../doctor/findings.ts";
import { plainText } from "../terminal/plain-text.ts";

/** Tests what a submission needs, one thing after the other; a failure does not keep the others from being tested. */
export async function doctor(
  context: Context,
  _args: object,
  options: { strict?: boolean },
): Promise<number> {
  const { terminal } = context;
  const spinner = terminal.isForEyes ? terminal.spinner("looking around") : null;
  const found = await findings(context);
  spinner?.stop();
  const exitCode = exitCodeOf(found, options.strict === true);
  const checks = found.map(({ error, ...finding }) => ({
    ...finding,
    ...(error ? { error: error.toBody() } : {}),
  }));
  terminal.present({
    json: { healthy: exitCode === 0, checks, exit_code: exitCode },
    ndjson: checks.map((check) => ({ type: "check", check })),
    quiet: found.filter(({ status }) => status === "failed").map(({ name }) => name),
    text: () => {
      for (const finding of found) terminal.answer(line(finding, context));
    },
  });
  return exitCode;
}

function line({ name, status, message, error }: Finding, { terminal }: Context): string {
  const { style, symbols } = terminal;
  const mark = {
    ok: style.green(symbols.done),
    warning: style.yellow(symbols.warning),
    failed: style.red(symbols.failed),
    skipped: style.dim(symbols.dot),
  }[status];
  return `${mark} ${name}: ${plainText(message)}${error?.next ? `\n    ${plainText(error.next)}` : ""}`;
}

function exitCodeOf(found: readonly Finding[], strict: boolean): number {
  const failed = found.find(({ status }) => status === "failed");
  if (failed) return (failed.error ?? new CrowdaiError("unexpected")).exitCode;
  return strict && found.some(({ status }) => status === "warning") ? 1 : 0;
}
