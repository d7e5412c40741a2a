import { relative } from "node:path";
import { cloneRepository, folderFor } from "../code/clone-repository.ts";
import { cloneSource, readCodeLocation } from "../code/code-location.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";

/** Clones the repository that a submission's code is in, and checks that code out. */
export async function clone(
  context: Context,
  { id, folder }: { id: string; folder?: string },
): Promise<number> {
  const { terminal } = context;
  const http = await context.http();
  const place = await readCodeLocation(http, id);
  const source = await cloneSource(context, http, place);
  const target = folderFor(context, place, folder);
  const spinner = terminal.spinner(`Cloning the code of ${plainLine(place.participant)}`);
  try {
    await cloneRepository(context, { ...source, folder: target });
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
  terminal.note(`The code of ${place.submission} is checked out; its commit is tagged ${source.tag}.`);
  terminal.next(`cd ${shellWord(relative(context.cwd, target) || ".")}`);
  return 0;
}

/** A path as a shell takes it for one word. */
export function shellWord(path: string): string {
  return /^[A-Za-z0-9_./+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
