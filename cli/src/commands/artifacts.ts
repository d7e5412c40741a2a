import { resolve } from "node:path";
import { type Artifact, submissionSchema } from "@crowdai/shared";
import { plainLine } from "../terminal/plain-text.ts";
import { sizeText } from "../terminal/size.ts";
import { refusedName } from "./download/contained-path.ts";
import { downloadFiles, type OfferedFile } from "./download/download-files.ts";
import { filesTable } from "./download/files-table.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  dir?: string;
  force?: boolean;
}

/** Lists the models and artifacts of a submission; with --dir downloads those that are missing there. */
export async function artifacts(
  { io, connection, terminal }: CommandContext,
  args: { id: string },
  { dir, force }: Options,
): Promise<number> {
  await connection.key();
  const http = await connection.http();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}`;
  const { id, artifacts: stored } = await http.get(path, submissionSchema);
  if (dir !== undefined) {
    const folder = resolve(io.cwd, dir);
    const wanted = { files: filesOf(stored), folder, force, owner: "the submission's" };
    const { files, leftOut } = await downloadFiles(wanted, { http, terminal, signal: io.signal });
    terminal.present({
      json: { submission: id, folder, files, left_out: leftOut },
      ndjson: files.map((file) => ({ type: "file", file })),
      quiet: files.map((file) => file.path),
      text: () => filesTable(terminal, files),
    });
  } else
    terminal.present({
      json: { submission: id, artifacts: stored },
      ndjson: stored.map((artifact) => ({ type: "artifact", artifact })),
      quiet: stored.map(({ name }) => plainLine(name)),
      text: () =>
        terminal.table(
          ["Name", "Kind", "Size", "SHA-256"],
          stored.map(({ name, kind, size, sha256 }) => [
            plainLine(name),
            kind,
            terminal.isForEyes ? sizeText(size) : size,
            terminal.isForEyes ? sha256.slice(0, 16) : sha256,
          ]),
        ),
    });
  if (stored.length === 0) terminal.note("This submission has no models or artifacts.");
  else if (dir === undefined) terminal.next(`crowdai artifacts ${id} --dir .`);
  return 0;
}

/** Returns the files under unique names that every file system accepts; evaluators may choose any name. */
function filesOf(stored: readonly Artifact[]): OfferedFile[] {
  const names = new Set<string>();
  return stored.flatMap(({ name, url, size, sha256 }, index) => {
    if (url === null) return [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    const safe = name.replace(/[\u0000-\u001f\u007f<>:"|?*\\/]/g, "_").replace(/[. ]+$/, "_") || "_";
    // A prefix repairs the rest, such as the name of a device.
    const plain = refusedName(safe) === null ? safe : `_${safe}`;
    const unique = names.has(plain.toLowerCase()) ? `${index + 1}-${plain}` : plain;
    names.add(unique.toLowerCase());
    return [{ name: unique, url, size, sha256 }];
  });
}
