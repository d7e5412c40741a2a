import { relative } from "node:path";
import { cloneRepository, folderFor } from "../code/clone-repository.ts";
import { cloneSource, readCodeLocation } from "../code/code-location.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { shellWord } from "../terminal/shell-word.ts";
import type { CommandContext } from "./handler.ts";

/** Clones the repository with a submission's code and checks out that code. */
export async function clone(
  { io, connection, terminal }: CommandContext,
  { id, folder }: { id: string; folder?: string },
): Promise<number> {
  const http = await connection.http();
  const place = await readCodeLocation(http, id);
  const source = await cloneSource(http, place, connection.key);
  const target = folderFor(io.cwd, place, folder);
  const spinner = terminal.spinner(`Cloning the code of ${plainLine(place.participant)}`);
  try {
    await cloneRepository(io, { ...source, folder: target });
  } finally {
    spinner.stop();
  }
  const document = { folder: target, submission: place.submission, tag: source.tag, url: source.url.href };
  terminal.present({
    json: document,
    ndjson: [{ type: "clone", ...document }],
    quiet: [target],
    text: () => terminal.answer(target),
  });
  terminal.note(`Checked out the code of submission ${place.submission} (tag ${source.tag}).`);
  terminal.next(`cd ${shellWord(relative(io.cwd, target) || ".")}`);
  return 0;
}
