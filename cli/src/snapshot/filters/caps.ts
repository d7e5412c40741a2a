import { CrowdaiError } from "@crowdai/shared";
import type { BytePath } from "../../git/byte-path.ts";
import { shownPath } from "../../git/byte-path.ts";
import { sizeText } from "../../terminal/size.ts";

/** Limits of one snapshot. */
export interface Caps {
  maxBytes: number;
  maxFiles: number;
}

/** The limits of a broker if the challenge sets none. */
export const DEFAULT_CAPS: Caps = { maxBytes: 50 * 1024 * 1024, maxFiles: 200_000 };

const MAX_NAMED = 5;

/** Throws code_too_large, naming the largest files and folders, or the folders with the most files. */
export function checkCaps(files: readonly { path: BytePath; size: number }[], caps: Caps): void {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length > caps.maxFiles) {
    const folders = byFolder(files, () => 1).map(([folder, count]) => `  ${folder}: ${count} files`);
    throw tooLarge(
      `The code has ${files.length} files; at most ${caps.maxFiles} are accepted. Most are in:\n${folders.join("\n")}`,
      { files: files.length, max_files: caps.maxFiles },
    );
  }
  if (bytes > caps.maxBytes) {
    const largest = [...files].sort((a, b) => b.size - a.size).slice(0, MAX_NAMED);
    const lines = [
      ...largest.map(({ path, size }) => `  ${shownPath(path)}: ${sizeText(size)}`),
      ...byFolder(files, ({ size }) => size).map(([folder, size]) => `  ${folder}: ${sizeText(size)}`),
    ];
    throw tooLarge(
      `The code has ${sizeText(bytes)} (${bytes} bytes); at most ${caps.maxBytes} bytes are accepted. The largest:\n${lines.join("\n")}`,
      {
        bytes,
        max_bytes: caps.maxBytes,
        largest: largest.map(({ path, size }) => ({ path: shownPath(path), size })),
      },
    );
  }
}

function tooLarge(message: string, details: Record<string, unknown>): CrowdaiError {
  return new CrowdaiError("code_too_large", message, { details });
}

function byFolder(
  files: readonly { path: BytePath; size: number }[],
  measure: (file: { size: number }) => number,
): [string, number][] {
  const sums = new Map<string, number>();
  for (const file of files) {
    const end = file.path.indexOf("/");
    const folder = end < 0 ? "./" : shownPath(file.path.slice(0, end + 1));
    sums.set(folder, (sums.get(folder) ?? 0) + measure(file));
  }
  return [...sums].sort(([, a], [, b]) => b - a).slice(0, MAX_NAMED);
}
