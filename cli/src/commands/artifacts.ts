import { resolve } from "node:path";
import { type Artifact, type Submission, submissionSchema } from "@crowdai/shared";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { sizeText } from "../terminal/size.ts";
import { downloadFiles, type OfferedFile } from "./download/download-files.ts";

interface Options {
  dir?: string;
  force?: boolean;
}

/** Lists the models and artifacts of a submission; with --dir downloads those that are not there yet. */
export async function artifacts(context: Context, args: { id: string }, options: Options): Promise<number> {
  const { terminal } = context;
  await context.key();
  const http = await context.http();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}`;
  const submission = await http.get(path, submissionSchema);
  const { id, artifacts: kept } = submission;
  if (options.dir !== undefined) return download(context, submission, options.dir, options.force);

  terminal.present({
    json: { submission: id, artifacts: kept },
    ndjson: kept.map((artifact) => ({ type: "artifact", artifact })),
    quiet: kept.map(({ name }) => plainLine(name)),
    text: () =>
      terminal.table(
        ["name", "kind", "size", "sha256"],
        kept.map(({ name, kind, size, sha256 }) => [
          plainLine(name),
          kind,
          terminal.isForEyes ? sizeText(size) : size,
          terminal.isForEyes ? sha256.slice(0, 16) : sha256,
        ]),
      ),
  });
  if (kept.length === 0) terminal.note("Nothing is kept with this submission.");
  else terminal.next(`crowdai artifacts ${id} --dir .`);
  return 0;
}

async function download(
  context: Context,
  { id, artifacts: kept }: Submission,
  dir: string,
  force: boolean | undefined,
): Promise<number> {
  const { terminal } = context;
  const folder = resolve(context.cwd, dir);
  const what = { files: filesOf(kept), folder, force, whose: "the submission's" };
  const files = await downloadFiles(what, await context.http(), context);
  terminal.present({
    json: { submission: id, folder, files },
    ndjson: files.map((file) => ({ type: "file", file })),
    quiet: files.map((file) => file.path),
    text: () =>
      terminal.table(
        ["file", "size", ""],
        files.map(({ path, size, status }) => [path, terminal.isForEyes ? sizeText(size) : size, status]),
      ),
  });
  if (files.length === 0) terminal.note("Nothing is kept with this submission.");
  return 0;
}

/** Under names that any system takes, each once: evaluators call their files as they like. */
function filesOf(kept: readonly Artifact[]): OfferedFile[] {
  const names = new Set<string>();
  return kept.flatMap(({ name, url, size, sha256 }, index) => {
    if (url === null) return [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    const plain = name.replace(/[\u0000-\u001f\u007f<>:"|?*\\/]/g, "_").replace(/[. ]+$/, "_") || "_";
    const unique = names.has(plain.toLowerCase()) ? `${index + 1}-${plain}` : plain;
    names.add(unique.toLowerCase());
    return [{ name: unique, url, size, sha256 }];
  });
}
