import type { CodeDiff } from "@crowdai/shared";
import { plural, truncateText } from "./format.ts";
import { Scroll } from "./scrollable.tsx";

const LINES = 3000;
const LINE = 1000;

/** Splits a patch into files and cuts it to what a page can show. */
export function cutPatch(patch: string): { files: string[][]; cut: boolean } {
  const lines = patch.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const files: string[][] = [];
  for (const line of lines.slice(0, LINES)) {
    // Lines of a file's contents begin with a space, a sign or a backslash: this one is git's own.
    if (line.startsWith("diff --git ")) files.push([]);
    else files.at(-1)?.push(truncateText(line, LINE));
  }
  return { files, cut: lines.length > LINES };
}

/** Changes, file by file. Lines keep their `+` and `-`, so colors are not the only sign. */
export function DiffView({ diff }: { diff: CodeDiff }) {
  const { files, cut } = cutPatch(diff.patch);
  if (diff.files.length === 0) return <p class="empty">No files changed.</p>;
  return (
    <>
      <p class="note">{plural(diff.files.length, "file")} changed.</p>
      {diff.files.map(({ path, old_path, added, removed }, index) => (
        <details class="diff-file" open={files.length <= 10 && files[index] !== undefined}>
          <summary>
            <bdi>{truncateText(old_path ? `${old_path} → ${path}` : path, 300)}</bdi>{" "}
            {added === null || removed === null ? (
              <span class="size">binary</span>
            ) : (
              <span class="size">
                <span class="up">+{added}</span> <span class="down">−{removed}</span>
              </span>
            )}
          </summary>
          <Scroll label={`Changes in ${truncateText(path, 100)}`}>
            <pre class="diff">
              <Lines lines={files[index] ?? ["Too large to show here. Clone the code to see it."]} />
            </pre>
          </Scroll>
        </details>
      ))}
      {cut || diff.truncated ? (
        <p class="note">The changes are too large to show here. Clone the code to see all of them.</p>
      ) : null}
    </>
  );
}

function Lines({ lines }: { lines: string[] }) {
  const head = lines.findIndex(isHunk);
  return (
    <>
      {lines.map((line, index) => (
        <span class={lineClass(line, index < head)}>{`${line}\n`}</span>
      ))}
    </>
  );
}

const isHunk = (line: string) => line.startsWith("@@");

/**
 * Lines of the head are git's own, whatever they begin with; lines of the contents may begin with `--` or
 * `++` too.
 */
function lineClass(line: string, inHead: boolean): string | undefined {
  if (inHead) return "meta";
  if (isHunk(line)) return "hunk";
  if (line.startsWith("+")) return "added";
  if (line.startsWith("-")) return "removed";
  return line.startsWith(" ") ? undefined : "meta";
}
