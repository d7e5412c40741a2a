import type { End, Facts } from "../commands/submission/facts.ts";
import { plainText } from "../terminal/plain-text.ts";
import { cut } from "./markdown.ts";
import type { Result } from "./result.ts";

const MAX_TEXT = 16_000;

/**
 * Returns a JUnit report with the command as its only test. A fault that is not yours counts as an error, not
 * as a failure.
 */
export function junitReport(command: string, facts: Facts, result: Result, { error, exitCode }: End): string {
  const { submission, challenge, file } = facts;
  const of = submission?.challenge ?? challenge?.id ?? "crowdai";
  const name = [command, submission?.input?.name ?? file].filter(Boolean).join(" ");
  const seconds = secondsOf(facts);
  const isFailure = exitCode !== 0;
  const tag = error && error.fault !== "you" ? "error" : "failure";
  const message = error?.message ?? `Exit code ${exitCode}`;
  const problem = `<${tag} message="${xml(message)}" type="${xml(error?.code ?? "exit_code")}">${xml(error?.next ?? "")}</${tag}>`;
  const properties = Object.entries({ ...result, exitCode: null, exit_code: exitCode })
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `        <property name="${xml(key)}" value="${xml(String(value))}"/>\n`);
  const counts = `tests="1" failures="${Number(isFailure && tag === "failure")}" errors="${Number(isFailure && tag === "error")}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="crowdai" ${counts} time="${seconds}">
    <testcase classname="${xml(of)}" name="${xml(name)}" time="${seconds}">
      <properties>
${properties.join("")}      </properties>
${isFailure ? `      ${problem}\n` : ""}    </testcase>
  </testsuite>
</testsuites>
`;
}

function secondsOf({ submission }: Facts): string {
  if (!submission?.finished_at) return "0";
  const ms = Date.parse(submission.finished_at) - Date.parse(submission.created_at);
  return Number.isFinite(ms) && ms > 0 ? (ms / 1000).toFixed(3) : "0";
}

/** XML has no control characters, not even as references. */
function xml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#10;",
  };
  return cut(plainText(text), MAX_TEXT)
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"\n]/g, (c) => entities[c]!);
}
