import { tamed } from "./format.ts";
import { Scroll } from "./scroll.tsx";

const BYTES = 200_000;
const LINES = 3000;

export interface DiffFile {
  title: string;
  lines: string[];
}

/** A unified diff cut into its files, and into what a page can carry. */
export function cutDiff(text: string): { files: DiffFile[]; cut: boolean } {
  const lines = tamed(text, BYTES).split("\n");
  const files: DiffFile[] = [];
  for (const line of lines.slice(0, LINES)) {
    if (line.startsWith("diff --git ")) {
      // Both names are the same but for renames; the second is the newer one.
      const title = /^diff --git "?a\/.*? "?b\/(.*?)"?$/.exec(line)?.[1] ?? line.slice(11);
      files.push({ title, lines: [] });
      continue;
    }
    files.at(-1)?.lines.push(line);
  }
  return { files, cut: lines.length > LINES || text.length > BYTES };
}

/** Lines keep their `+` and `−`: the colours only say it again. */
export function DiffView({ text, truncated }: { text: string; truncated: boolean }) {
  const { files, cut } = cutDiff(text);
  if (files.length === 0) return <p class="empty">No file changed.</p>;
  return (
    <>
      {files.map(({ title, lines }) => (
        <details class="diff-file" open={files.length <= 10}>
          <summary>
            <bdi>{title}</bdi>
          </summary>
          <Scroll label={`Changes of ${title}`}>
            <pre class="diff">
              {lines.map((line) => (
                <span class={lineClass(line)}>{`${line}\n`}</span>
              ))}
            </pre>
          </Scroll>
        </details>
      ))}
      {cut || truncated ? <p class="note">The rest is too long for a page.</p> : null}
    </>
  );
}

function lineClass(line: string): string | undefined {
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+") && !line.startsWith("+++ ")) return "added";
  if (line.startsWith("-") && !line.startsWith("--- ")) return "removed";
  return /^(index |new file|deleted file|similarity|rename|old mode|new mode|--- |\+\+\+ )/.test(line)
    ? "meta"
    : undefined;
}
