import { fileNameProblem } from "@crowdai/shared";
import { type BytePath, isAscii } from "../../git/byte-path.ts";

/** Returns why a path does not work on every machine that may clone the repository; null if it works. */
export function unportableName(path: BytePath): string | null {
  if (isAscii(path)) return fileNameProblem(path);
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? fileNameProblem(text) : "its name is not UTF-8";
}
