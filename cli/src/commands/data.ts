import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { CrowdaiError, challengeSchema, type PublicChallenge } from "@crowdai/shared";
import type { HttpClient } from "../client/http.ts";
import { writing } from "../config/private-file.ts";
import { chosenChallenge } from "../config/settings.ts";
import { containedPath } from "../contained-path.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { sizeText } from "../terminal/size.ts";

type PublicFile = PublicChallenge["data"][number];
interface Step {
  file: PublicFile;
  path: string;
  status: "download" | "kept" | "differs";
}

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

  const steps = await plan(challenge.data, folder);
  const different = steps.filter((step) => step.status === "differs");
  if (different.length > 0 && !options.force)
    throw new CrowdaiError(
      "usage",
      `Files here differ from the challenge's: ${different.map((step) => step.path).join(", ")}. Nothing was changed.`,
      { next: "Replace them with --force, or choose another folder with --dir." },
    );
  await perform(steps, http, context);

  const files = steps.map(({ file, path, status }) => ({
    name: file.name,
    path,
    size: file.size,
    sha256: file.sha256,
    status: status === "kept" ? "kept" : "downloaded",
  }));
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

/** What each file needs. Looks only; refuses names that lead out of the folder. */
async function plan(files: readonly PublicFile[], folder: string): Promise<Step[]> {
  return await Promise.all(
    files.map(async (file) => {
      const path = containedPath(folder, file.name);
      const there = await digestOf(path);
      const status = there === null ? "download" : there === file.sha256 ? "kept" : "differs";
      return { file, path, status } as const;
    }),
  );
}

async function perform(
  steps: readonly Step[],
  http: HttpClient,
  { terminal, signal }: Context,
): Promise<void> {
  const wanted = steps.filter((step) => step.status !== "kept");
  const total = wanted.reduce((sum, { file }) => sum + file.size, 0);
  if (wanted.length === 0) return;
  const spinner = terminal.spinner(`downloading ${wanted.length} files, ${sizeText(total)}`);
  let before = 0;
  try {
    for (const { file, path } of wanted) {
      await writing(path, () =>
        http.download(file.url, {
          to: path,
          size: file.size,
          sha256: file.sha256,
          signal,
          onProgress: (done) => {
            const fraction = total === 0 ? 1 : (before + done) / total;
            spinner.update(`${terminal.bar(fraction)} ${Math.floor(fraction * 100)} % ${file.name}`);
          },
        }),
      );
      before += file.size;
    }
    spinner.stop();
  } catch (error) {
    spinner.fail("download stopped; run the same command again to go on");
    throw error;
  }
}

async function digestOf(path: string): Promise<string | null> {
  try {
    if (!(await stat(path)).isFile()) return "something else";
    const hash = createHash("sha256");
    await pipeline(createReadStream(path), hash);
    return hash.digest("hex");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new CrowdaiError("file_unreadable", `${path} cannot be read.`, { details: { path }, cause });
  }
}
