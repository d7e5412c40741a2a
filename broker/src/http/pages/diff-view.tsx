import type { CodeDiff } from "@crowdai/shared";
import { plural, truncateText } from "./format.ts";
import { Scroll } from "./scrollable.tsx";

const LINES = 3000;
const LINE = 1000;

/** A patch cut into its files, and into what a page can carry. */
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

/** What changed, file by file. Lines keep their `+` and `-`: the colours only say it again. */
export function DiffView({ diff }: { diff: CodeDiff }) {
  const { files, cut } = cutPatch(diff.patch);
  if (diff.files.length === 0) return <p class="empty">No file changed.</p>;
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
          <Scroll label={`Changes of ${truncateText(path, 100)}`}>
            <pre class="diff">
              <Lines lines={files[index] ?? ["It is not shown here: clone the code to see it."]} />
            </pre>
          </Scroll>
        </details>
      ))}
      {cut || diff.truncated ? (
        <p class="note">There is more than a page can show: clone the code to see it all.</p>
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

/** A line of the head is git's own, whatever it begins with; of the contents one may begin with `--` or `++` too. */
function lineClass(line: string, inHead: boolean): string | undefined {
  if (inHead) return "meta";
  if (isHunk(line)) return "hunk";
  if (line.startsWith("+")) return "added";
  if (line.startsWith("-")) return "removed";
  return line.startsWith(" ") ? undefined : "meta";
}
