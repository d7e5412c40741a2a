import { isUtf8 } from "node:buffer";
import { lstatSync, readFileSync } from "node:fs";
import { CrowdaiError } from "@crowdai/shared";
import { type BytePath, foldersOf, onDisk } from "./byte-path.ts";

/** Size from which git ignores a file with patterns. */
const MAX_BYTES = 100 * 1024 * 1024;

/**
 * Checks each .gitignore that applies to one of the paths. Git reads a file in UTF-16 as if it had no rules,
 * so what it excludes would be sent. Throws ignore_rules_invalid.
 */
export function checkIgnoreFiles(top: string, paths: Iterable<BytePath>): void {
  for (const folder of foldersOf(paths))
    checkIgnoreFile(onDisk(top, folder === "" ? ".gitignore" : `${folder}/.gitignore`));
}

/** Throws ignore_rules_invalid if git cannot read the rules of this file. A link or a folder has no rules. */
export function checkIgnoreFile(path: string | Buffer): void {
  let bytes: Buffer;
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile()) return;
    if (stats.size >= MAX_BYTES) throw ignoreRulesInvalid(String(path), "it has more than 100 MiB");
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof CrowdaiError) throw error;
    // It does not exist, or git reports that it cannot be read.
    return;
  }
  const problem = ignoreRulesProblem(bytes);
  if (problem) throw ignoreRulesInvalid(String(path), problem);
}

/** Returns why git would read other rules than this file's author wrote, or null. */
export function ignoreRulesProblem(bytes: Buffer): string | null {
  if (isMarkedUtf16(bytes)) return "it is UTF-16, not UTF-8";
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    line++;
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    const problem = lineProblem(bytes.subarray(start, end), line === 1);
    if (problem) return `line ${line} ${problem}`;
    start = end + 1;
  }
  return null;
}

function isMarkedUtf16(bytes: Buffer): boolean {
  return bytes.length >= 2 && [0xfeff, 0xfffe].includes(bytes.readUInt16BE(0));
}

function lineProblem(bytes: Buffer, isFirst: boolean): string | null {
  if (bytes.includes(0)) return "contains zero bytes, as UTF-16 does";
  // Git skips comments, whatever their encoding.
  if (bytes[0] === 0x23) return null;
  if (!isUtf8(bytes)) return "is not UTF-8";
  const text = bytes.toString("utf8").replace(/\r$/, "");
  if ((isFirst ? text.slice(1) : text).includes("\ufeff")) return "contains a byte order mark";
  return /[^\P{Cc}\t]/u.test(text) ? "contains a control character" : null;
}

/** The error for rules that cannot be parsed: without them, ignored files would be sent. */
export function ignoreRulesInvalid(path: string, problem: string, cause?: unknown): CrowdaiError {
  const message = `${path} cannot be parsed: ${problem}. The client cannot tell which files are ignored.`;
  return new CrowdaiError("ignore_rules_invalid", message, { details: { path }, cause });
}
