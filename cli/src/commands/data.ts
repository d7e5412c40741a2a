import { resolve } from "node:path";
import { challengeSchema } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { sizeText } from "../terminal/size.ts";
import { containedPath } from "./download/contained-path.ts";
import { downloadFiles } from "./download/download-files.ts";

interface Options {
  dir?: string;
  force?: boolean;
}

/** Downloads what is not there yet. Each file appears whole, with the digest the broker told, or not at all. */
export async function data(context: Context, args: { id?: string }, options: Options): Promise<number> {
  const { terminal } = context;
  const id = chosenChallenge(context.settings, args.id);
  const http = await context.http();
  const challenge = await http.get(`/api/v1/challenges/${encodeURIComponent(id)}`, challengeSchema);
  const folder = resolve(context.cwd, options.dir ?? containedPath(context.cwd, challenge.id));

  const what = { files: challenge.data, folder, force: options.force, whose: "the challenge's" };
  const files = await downloadFiles(what, http, context);
  terminal.present({
    json: { challenge: challenge.id, folder, files },
    ndjson: files.map((file) => ({ type: "file", file })),
    quiet: files.map((file) => file.path),
    text: () =>
      terminal.table(
        ["file", "size", ""],
        files.map(({ path, size, status }) => [path, terminal.isForEyes ? sizeText(size) : size, status]),
      ),
  });
  if (files.length === 0) terminal.note(`${plainLine(challenge.title)} has no public data.`);
  return 0;
}
