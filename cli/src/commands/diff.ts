import { type CodeDiff, codeDiffSchema } from "@crowdai/shared";
import { plainLine, plainText } from "../terminal/plain-text.ts";
import type { Style } from "../terminal/style.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  stat?: boolean;
  nameOnly?: boolean;
}

/** Shows the differences between the code of two submissions, the participant's own or published ones. */
export async function diff(
  { io, connection, terminal }: CommandContext,
  { from, to }: { from: string; to: string },
  { stat, nameOnly }: Options,
): Promise<number> {
  const [a, b] = [from, to].map(encodeURIComponent);
  const found = await (await connection.http()).get(`/api/v1/submissions/${a}/diff/${b}`, codeDiffSchema);
  const names = found.files.map(({ path }) => path);
  terminal.present({
    json: { diff: found },
    ndjson: [{ type: "diff", diff: found }],
    quiet: names,
    text: () => {
      if (nameOnly) for (const name of names) terminal.answer(plainLine(name));
      else if (stat) for (const line of statLines(found)) terminal.answer(line);
      // A pipe gets the exact bytes that git printed, so that `git apply` accepts them.
      else if (!terminal.isForEyes) io.stdout.write(found.patch);
      else if (found.patch) terminal.answer(colored(found.patch.trimEnd(), terminal.style));
    },
  });
  if (found.files.length === 0) terminal.note("The code of both submissions is identical.");
  if (found.truncated)
    terminal.warn(
      "The diff is too long and was cut off. Clone one submission and compare with git to see all of it.",
    );
  terminal.next(`crowdai clone ${to}`);
  return 0;
}

function statLines({ files }: CodeDiff): string[] {
  const name = ({ path, old_path }: CodeDiff["files"][number]) =>
    plainLine(old_path === null ? path : `${old_path} => ${path}`);
  const width = Math.max(0, ...files.map((file) => name(file).length));
  const sum = (of: "added" | "removed") => files.reduce((total, file) => total + (file[of] ?? 0), 0);
  return [
    ...files.map((file) =>
      file.added === null
        ? `${name(file).padEnd(width)} | binary`
        : `${name(file).padEnd(width)} | +${file.added} -${file.removed}`,
    ),
    `${files.length} ${files.length === 1 ? "file" : "files"} changed, +${sum("added")} -${sum("removed")}`,
  ];
}

function colored(patch: string, style: Style): string {
  return plainText(patch)
    .split("\n")
    .map((line) => {
      if (/^(?:diff|index|---|\+\+\+|rename|similarity|new file|deleted file|old mode|new mode) ?/.test(line))
        return style.bold(line);
      if (line.startsWith("@@")) return style.cyan(line);
      if (line.startsWith("+")) return style.green(line);
      return line.startsWith("-") ? style.red(line) : line;
    })
    .join("\n");
}
