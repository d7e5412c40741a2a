import { fileNameProblem } from "@crowdai/shared";
import type { BytePath } from "../../git/byte-path.ts";

/** Returns why a path does not work on every machine that may clone the repository; null if it works. */
export function unportableName(path: BytePath): string | null {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? fileNameProblem(text) : "its name is not UTF-8";
}

/** Length of a .gitattributes line from which git's checks fail. */
const MAX_ATTRIBUTES_LINE = 2048;

/** Returns why git's checks on the broker would refuse this file, or null. */
export function refusedByGit(path: BytePath, text: string): string | null {
  if (!/(^|\/)\.gitattributes$/i.test(path)) return null;
  return text.split("\n").some((line) => line.length >= MAX_ATTRIBUTES_LINE)
    ? "one of its lines is longer than git allows"
    : null;
}
