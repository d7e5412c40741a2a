// Lists log calls without a stable `event`: operators search and alert by it, whatever the text says.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.ts";

const CALL = /\blog\(?\)?\??\.(?:trace|debug|info|warn|error|fatal)\(/g;
const EVENT = /\bevent:\s*(?:"[a-z]+(?:_[a-z0-9]+)*"|[\w.]+\s*\?)|\bevent\b[,\s}]/;

/** Returns `path:line` of each log call of the text whose first argument has no snake_case `event`. */
export function logCallsWithoutEvent(path: string, text: string): string[] {
  return [...text.matchAll(CALL)]
    .filter(({ index, 0: call }) => !EVENT.test(argumentsAt(text, index + call.length)))
    .map(({ index }) => `${path}:${text.slice(0, index).split("\n").length}`);
}

/** Returns the text from a position to the parenthesis that closes it. */
function argumentsAt(text: string, start: number): string {
  let depth = 1;
  let end = start;
  while (depth > 0 && end < text.length) {
    if (text[end] === "(") depth++;
    else if (text[end] === ")") depth--;
    end++;
  }
  return text.slice(start, end);
}

/** Checks the sources of the servers. */
export function serversLogCallsWithoutEvent(): string[] {
  const folders = ["broker/src", "grader/src", "shared/src"];
  const files = execFileSync("git", ["ls-files", "-z", "--", ...folders], { cwd: root, encoding: "utf8" });
  return files
    .split("\0")
    .filter((file) => /\.tsx?$/.test(file) && !/\.(?:test|contract)\.tsx?$|\/testing\//.test(file))
    .flatMap((file) => logCallsWithoutEvent(file, readFileSync(join(root, file), "utf8")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = serversLogCallsWithoutEvent();
  for (const place of found) console.log(`${place}: a log call without an event`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
