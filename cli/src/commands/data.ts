import { resolve } from "node:path";
import { CrowdaiError, challengeSchema } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { containedPath, refusedName } from "./download/contained-path.ts";
import { downloadFiles } from "./download/download-files.ts";
import { filesTable } from "./download/files-table.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  dir?: string;
  force?: boolean;
}

/** Downloads the public data of a challenge. Each file appears whole and verified, or not at all. */
export async function data(
  { io, connection, terminal }: CommandContext,
  args: { id?: string },
  { dir, force }: Options,
): Promise<number> {
  const id = chosenChallenge(connection.settings, args.id);
  const http = await connection.http();
  const challenge = await http.get(`/api/v1/challenges/${encodeURIComponent(id)}`, challengeSchema);
  const unfit = dir === undefined ? refusedName(challenge.id) : null;
  if (unfit)
    throw new CrowdaiError("usage", `The challenge's id cannot name a folder: ${unfit}.`, {
      next: "Choose a folder with --dir.",
    });
  const folder = resolve(io.cwd, dir ?? containedPath(io.cwd, challenge.id));

  const wanted = { files: challenge.data, folder, force, owner: "the challenge's" };
  const { files, leftOut } = await downloadFiles(wanted, { http, terminal, signal: io.signal });
  terminal.present({
    json: { challenge: challenge.id, folder, files, left_out: leftOut },
    ndjson: [
      ...files.map((file) => ({ type: "file", file })),
      ...leftOut.map((file) => ({ type: "left_out", file })),
    ],
    quiet: files.map((file) => file.path),
    text: () => filesTable(terminal, files),
  });
  if (files.length + leftOut.length === 0) terminal.note(`${plainLine(challenge.title)} has no public data.`);
  return 0;
}
