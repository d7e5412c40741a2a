import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CrowdaiError, MAX_PICTURE_BYTES, type Profile, profileSchema } from "@crowdai/shared";
import { plainLine } from "../terminal/plain-text.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  name?: string;
  affiliation?: string;
  link?: string;
  picture?: string;
  removePicture?: boolean;
  clear?: boolean;
}

const PATH = "/api/v1/profile";

/** Shows or changes what leaderboards show beside the participant's name. */
export async function profile(
  { io, connection, terminal }: CommandContext,
  _args: unknown,
  { picture, removePicture, clear, name, affiliation, link }: Options,
): Promise<number> {
  const given = Object.entries({ name, affiliation, link }).filter(([, text]) => text !== undefined);
  const texts = Object.fromEntries(given);
  const others = given.length + Number(picture !== undefined) + Number(removePicture === true);
  if (clear && others > 0) throw new CrowdaiError("usage", "--clear removes everything; pass it alone.");
  if (picture !== undefined && removePicture)
    throw new CrowdaiError("usage", "Pass either --picture or --remove-picture.");
  await connection.key();
  const bytes = picture === undefined ? null : await readPicture(resolve(io.cwd, picture), picture);
  const http = await connection.http();
  const send = (method: "PATCH" | "PUT" | "DELETE", path: string, body?: unknown) =>
    http.send(method, path, body, profileSchema);
  if (given.length > 0) await send("PATCH", PATH, texts);
  if (bytes) await send("PUT", `${PATH}/picture`, bytes);
  if (removePicture) await send("DELETE", `${PATH}/picture`);
  if (clear) await send("DELETE", PATH);
  const shown = await http.get(PATH, profileSchema);
  terminal.present({
    json: { profile: shown },
    ndjson: [{ type: "profile", ...shown }],
    quiet: [plainLine(shown.name ?? "")],
    text: () => terminal.answer(describe(shown)),
  });
  return 0;
}

function describe({ name, affiliation, link, picture }: Profile): string {
  const line = (title: string, text: string | null) =>
    `${title.padEnd(13)}${text === null ? "not set" : plainLine(text)}`;
  return [
    line("Shown name", name),
    line("Affiliation", affiliation),
    line("Link", link),
    line("Picture", picture),
  ].join("\n");
}

async function readPicture(path: string, given: string): Promise<Uint8Array> {
  const found = await stat(path).catch((cause: Error) => {
    throw new CrowdaiError("usage", `The picture ${plainLine(given)} cannot be read.`, { cause });
  });
  if (!found.isFile()) throw new CrowdaiError("usage", `The picture ${plainLine(given)} is not a file.`);
  if (found.size > MAX_PICTURE_BYTES)
    throw new CrowdaiError("usage", `A picture can have at most ${MAX_PICTURE_BYTES / 1024 / 1024} MB.`);
  return readFile(path);
}
