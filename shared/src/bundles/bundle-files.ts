import { createHash } from "node:crypto";
import { readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ConfigProblem, unreadable } from "../challenge-folder/config-problems.ts";
import { digestFile } from "../challenge-folder/file-digest.ts";
import { leadsOutOfImage } from "./image-links.ts";

/** A file of a bundle. */
export interface BundleFile {
  /** Path below the challenge folder, with slashes. */
  name: string;
  path: string;
  size: number;
  sha256: string;
  executable: boolean;
}

export interface BundleLink {
  /** Path below the challenge folder, with slashes. */
  name: string;
  target: string | null;
}

export interface BundleContents {
  /** Equal for equal names, contents and executable bits, on every machine. */
  version: string;
  files: BundleFile[];
  /** Links of images, and empty folders, which have no target. */
  links: BundleLink[];
  problems: ConfigProblem[];
}

/** The limits of a bundle, for packing and unpacking. */
export const MAX_FILES = 20_000;
export const MAX_BYTES = 4 * 1024 ** 3;
const VERSION_LENGTH = 16;

/**
 * Lists the files for a bundle of the folder: all but hidden files and Python caches. A link is a problem,
 * because its target would differ on another machine, and so is everything else that is not a file. Images,
 * whose paths end with slashes, are bundled as they are: with hidden files, empty folders, and links that
 * stay inside.
 */
export async function bundleContents(dir: string, images: readonly string[] = []): Promise<BundleContents> {
  const found: Collected = { files: [], links: [], problems: [] };
  await collect(dir, "", images, found);
  const { files, links, problems } = found;
  for (const image of images) problems.push(...outwardLinks(image, links));
  for (const list of [files, links]) list.sort((a, b) => (a.name < b.name ? -1 : 1));
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const count = files.length + links.length;
  if (count > MAX_FILES)
    problems.push({
      file: ".",
      field: "",
      expected: `at most ${MAX_FILES} files`,
      got: String(count),
    });
  if (size > MAX_BYTES)
    problems.push({ file: ".", field: "", expected: `at most ${MAX_BYTES} bytes`, got: String(size) });
  const lines = [
    ...files.map(({ name, sha256, executable }) => JSON.stringify([name, sha256, executable])),
    ...links.map(({ name, target }) => JSON.stringify([name, target])),
  ];
  const version = createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, VERSION_LENGTH);
  return { version, files, links, problems };
}

type Collected = Pick<BundleContents, "files" | "links" | "problems">;

async function collect(
  dir: string,
  below: string,
  images: readonly string[],
  found: Collected,
): Promise<void> {
  const { files, links, problems } = found;
  const entries = await readdir(join(dir, below), { withFileTypes: true });
  const isImage = images.some((image) => below.startsWith(image));
  if (isImage && entries.length === 0) links.push({ name: below.slice(0, -1), target: null });
  for (const entry of entries) {
    if (!isImage && isLeftOut(entry.name)) continue;
    const name = below + entry.name;
    const path = join(dir, name);
    try {
      if (entry.isDirectory()) await collect(dir, `${name}/`, images, found);
      else if (isImage && entry.isSymbolicLink()) links.push({ name, target: await readlink(path) });
      else if (entry.isFile()) {
        const { mode } = await stat(path);
        files.push({ name, path, ...(await digestFile(path)), executable: (mode & 0o111) !== 0 });
      } else {
        const got = entry.isSymbolicLink() ? "a link" : "something other than a file";
        problems.push({ file: name, field: "", expected: "a file, in a challenge that is bundled", got });
      }
    } catch (error) {
      problems.push(unreadable(name, error as NodeJS.ErrnoException));
    }
  }
}

const isLeftOut = (name: string) => name.startsWith(".") || name === "__pycache__" || name.endsWith(".pyc");

function outwardLinks(image: string, all: readonly BundleLink[]): ConfigProblem[] {
  const links = new Map(
    all.flatMap(({ name, target }) =>
      target !== null && name.startsWith(image) ? [[name.slice(image.length), target] as const] : [],
    ),
  );
  return [...links].flatMap(([name, target]) =>
    leadsOutOfImage(name, links)
      ? [{ file: image + name, field: "", expected: "a link that stays inside the image", got: target }]
      : [],
  );
}
