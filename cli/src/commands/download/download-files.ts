import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { CrowdaiError, nameCollisions } from "@crowdai/shared";
import type { HttpClient } from "../../client/http/http-client.ts";
import { writing } from "../../config/file-unwritable.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { createRate } from "../../terminal/rate.ts";
import { sizeText } from "../../terminal/size.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { transferText } from "../../terminal/transfer-text.ts";
import { containedPath, refusedName } from "./contained-path.ts";

export interface OfferedFile {
  name: string;
  size: number;
  sha256: string;
  url: string;
}

export interface DownloadedFile {
  name: string;
  path: string;
  size: number;
  sha256: string;
  status: "kept" | "downloaded";
}

/** A file that is not written, and why. */
export interface LeftOutFile {
  name: string;
  reason: string;
}

interface Step {
  file: OfferedFile;
  path: string;
  status: "download" | "kept" | "differs";
}

interface DownloadMeans {
  http: HttpClient;
  terminal: Terminal;
  signal: AbortSignal;
}

/**
 * Downloads the files that are missing in a folder. Each file appears whole and with the announced digest, or
 * not at all. A file whose name does not work on every machine is left out, with a warning. Throws usage,
 * before anything is changed, if an existing file differs and `force` is not set.
 */
export async function downloadFiles(
  wanted: { files: readonly OfferedFile[]; folder: string; force: boolean | undefined; owner: string },
  means: DownloadMeans,
): Promise<{ files: DownloadedFile[]; leftOut: LeftOutFile[] }> {
  const { fit, leftOut } = sortByName(wanted.files);
  for (const { name, reason } of leftOut)
    means.terminal.warn(`${plainLine(JSON.stringify(name))} is left out: ${plainLine(reason)}.`);
  const steps = await plan(fit, wanted.folder);
  const different = steps.filter((step) => step.status === "differs");
  if (different.length > 0 && !wanted.force)
    throw new CrowdaiError(
      "usage",
      `Existing files differ from ${wanted.owner}: ${different.map((step) => step.path).join(", ")}. Nothing was changed.`,
      { next: "Overwrite them with --force, or choose another folder with --dir." },
    );
  await perform(steps, means);
  const files = steps.map(({ file: { name, size, sha256 }, path, status }) => ({
    name,
    path,
    size,
    sha256,
    status: status === "kept" ? ("kept" as const) : ("downloaded" as const),
  }));
  return { files, leftOut };
}

function sortByName(files: readonly OfferedFile[]): { fit: OfferedFile[]; leftOut: LeftOutFile[] } {
  const collision = nameCollisions();
  const leftOut: LeftOutFile[] = [];
  const fit = files.filter(({ name }) => {
    let reason = refusedName(name);
    const other = reason === null ? collision(name) : null;
    if (other !== null) reason = `it differs from ${other} only in case`;
    if (reason !== null) leftOut.push({ name, reason });
    return reason === null;
  });
  return { fit, leftOut };
}

/** Returns what each file needs, and changes nothing. */
async function plan(files: readonly OfferedFile[], folder: string): Promise<Step[]> {
  return await Promise.all(
    files.map(async (file) => {
      const path = containedPath(folder, file.name);
      const there = await digestOf(path);
      const status = there === null ? "download" : there === file.sha256 ? "kept" : "differs";
      return { file, path, status } as const;
    }),
  );
}

async function perform(steps: readonly Step[], { http, terminal, signal }: DownloadMeans): Promise<void> {
  const wanted = steps.filter((step) => step.status !== "kept");
  const total = wanted.reduce((sum, { file }) => sum + file.size, 0);
  if (wanted.length === 0) return;
  const spinner = terminal.spinner(
    `Downloading ${wanted.length} ${wanted.length === 1 ? "file" : "files"}, ${sizeText(total)}`,
  );
  const rate = createRate();
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
            const sum = before + done;
            const shown = transferText("Downloading", { done: sum, total, pace: rate(sum, total) }, terminal);
            spinner.update(`${shown}, ${file.name}`);
          },
        }),
      );
      before += file.size;
    }
    spinner.stop();
  } catch (error) {
    spinner.fail("Download stopped. Run the same command again to continue.");
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
    throw new CrowdaiError("file_unreadable", `Cannot read ${path}.`, { details: { path }, cause });
  }
}
