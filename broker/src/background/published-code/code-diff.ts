import { type CodeDiff, CrowdaiError } from "@crowdai/shared";
import type { Repositories } from "../repositories/repositories.ts";
import type { ReadableCode } from "./readable-code.ts";

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const TIME_MS = 15_000;
const LIST_BYTES = 1024 * 1024;

export interface DiffLimits {
  /** Maximum bytes of the patch; a longer one is cut at the end of a line. */
  patch?: number;
  /** Maximum number of files listed. */
  files?: number;
  signal?: AbortSignal;
  /** The reader who asks; see GitRun. */
  reader: string;
}

/**
 * Compares the code of two submissions; from null, everything counts as added. The caller checks that both
 * may be read. Throws diff_too_large when git takes too long.
 */
export async function diffCode(
  repositories: Repositories,
  from: ReadableCode | null,
  to: ReadableCode,
  { patch = 4 * 1024 * 1024, files = 5000, signal, reader }: DiffLimits,
): Promise<CodeDiff> {
  const dir = await repositories.participant(to.row.challenge, to.row.participant_id);
  const other = from && (await repositories.participant(from.row.challenge, from.row.participant_id));
  const run = async (args: string[], output: number) => {
    const ended = await repositories.git.run(
      // Neither the tree's attributes nor an external program affects the output.
      ["diff-tree", "-r", "--find-renames", "-l400", "--no-ext-diff", "--no-textconv", "--no-color", ...args],
      {
        dir,
        reader,
        output,
        timeoutMs: TIME_MS,
        cpuSeconds: TIME_MS / 1000,
        signal,
        ...(other && other !== dir ? { env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: `${other}/objects` } } : {}),
      },
    );
    if (ended.code !== 0 && ended.ended !== "output")
      throw ended.ended === "time"
        ? new CrowdaiError("diff_too_large")
        : new CrowdaiError("unexpected", `git diff-tree failed: ${ended.stderr.trim() || ended.signal}`);
    return { text: ended.stdout, cut: ended.ended === "output" };
  };
  const trees = [from?.code.tree ?? EMPTY_TREE, to.code.tree];
  const listed = await run(["--numstat", "-z", ...trees], LIST_BYTES);
  const shown = await run(["-p", ...trees], patch);
  const all = readNumstat(listed.text.toString("utf8"), listed.cut);
  return {
    from: from?.row.id ?? null,
    to: to.row.id,
    files: all.slice(0, files),
    patch: shown.cut ? wholeLines(shown.text) : shown.text.toString("utf8"),
    truncated: shown.cut || listed.cut || all.length > files,
  };
}

/** `added TAB removed TAB path NUL`, and for a renamed file `added TAB removed TAB NUL old NUL new NUL`. */
function readNumstat(text: string, cut: boolean): CodeDiff["files"] {
  const words = text.split("\0");
  // After the last NUL comes nothing, or part of an entry.
  words.pop();
  const found: CodeDiff["files"] = [];
  for (let at = 0; at < words.length; ) {
    const [, added = "", removed = "", path = ""] = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(words[at] ?? "") ?? [];
    const renamed = path === "";
    const names = renamed ? [words[at + 1], words[at + 2]] : [null, path];
    at += renamed ? 3 : 1;
    const [before, now] = names;
    if (cut && now === undefined) break;
    found.push({ path: now ?? "", old_path: before ?? null, added: lines(added), removed: lines(removed) });
  }
  return found;
}

const lines = (count: string) => (/^\d+$/.test(count) ? Number(count) : null);

const wholeLines = (text: Buffer) => text.subarray(0, text.lastIndexOf(0x0a) + 1).toString("utf8");
