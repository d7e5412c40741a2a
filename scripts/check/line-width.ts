// `node scripts/check/line-width.ts [path …]`: lists lines of docs and comments that are too long and could
// be broken.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.ts";

/** As in .editorconfig; Biome breaks the lines of code. */
const MAX_COLUMNS = 110;

const CHECKED = /\.(md|ts|tsx)$/;
/** Generated, or released and never changed. */
const UNCHECKED = /^docs\/(errors|commands)\.md$|\/migrations\/\d/;

const FENCE = /^\s*(```|~~~)/;
/** Tables, headings, images, HTML, addresses of links, and code that is indented. */
const UNBROKEN_MARKDOWN = /^\s*(\||#|!\[|<|\[[^\]]+\]:)|^ {4}/;
/** Code that is indented, tables, and comments that other programs read. */
const UNBROKEN_COMMENT = /^( {2}|\s*\||biome-ignore|@ts-)/;

/** Returns one line for each line of prose that is too long, in the form `path:line: 140 columns`. */
export function findLongLines(path: string, text: string): string[] {
  const prose = path.endsWith(".md") ? proseOfMarkdown(text) : commentsOf(text);
  return prose
    .filter(({ line, from }) => line.length > MAX_COLUMNS && line.slice(from, MAX_COLUMNS).includes(" "))
    .map(({ line, number }) => `${path}:${number}: ${line.length} columns`);
}

/** A line, its number, and where its text begins behind the indentation and marks. */
interface ProseLine {
  line: string;
  number: number;
  from: number;
}

function proseOfMarkdown(text: string): ProseLine[] {
  const prose: ProseLine[] = [];
  let isCode = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (FENCE.test(line)) isCode = !isCode;
    else if (!isCode && !UNBROKEN_MARKDOWN.test(line))
      prose.push({ line, number: index + 1, from: /^\s*([-*] |\d+\. )?/.exec(line)![0].length });
  }
  return prose;
}

function commentsOf(source: string): ProseLine[] {
  const comments: ProseLine[] = [];
  let isDocComment = false;
  let isExample = false;
  for (const [index, line] of source.split("\n").entries()) {
    const mark = (isDocComment ? /^\s*\* ?/ : /^\s*(\/\/|\/\*\*) ?/).exec(line)?.[0];
    if (mark === undefined) isDocComment = false;
    else {
      const words = line.slice(mark.length);
      if (line.endsWith("*/")) isDocComment = false;
      else if (mark.includes("/**")) isDocComment = true;
      if (/^@|^\//.test(words)) isExample = words.startsWith("@example");
      if (!isExample && !UNBROKEN_COMMENT.test(words))
        comments.push({ line, number: index + 1, from: mark.length });
    }
  }
  return comments;
}

/** Checks the files that git tracks below the given paths; all of them when none is given. */
function longLinesIn(paths: readonly string[]): string[] {
  const files = execFileSync("git", ["ls-files", "-z", "--", ...paths], { cwd: root, encoding: "utf8" });
  return files
    .split("\0")
    .filter((file) => CHECKED.test(file) && !UNCHECKED.test(file))
    .flatMap((file) => findLongLines(file, readFileSync(join(root, file), "utf8")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = longLinesIn(process.argv.slice(2));
  for (const line of found) console.log(line);
  if (found.length > 0)
    console.log(`\n${found.length} lines of docs or comments to break at ${MAX_COLUMNS} columns.`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
