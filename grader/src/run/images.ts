import { execFile } from "node:child_process";
import { existsSync, lstatSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeFolder, RunConfig } from "@crowdai/shared/challenge-folder";
import { digestTree } from "./folder-digest.ts";
import { RunFailure } from "./run-failure.ts";

/** The root folder that programs see. */
export interface Image {
  /** Null for that of this machine. */
  root: string | null;
  /** "host", or the digest. */
  digest: string;
}

export interface Images {
  /** Verifies an image, and unpacks it the first time. Throws image_invalid as a RunFailure. */
  open(folder: ChallengeFolder, image: RunConfig["image"]): Promise<Image>;
  close(): Promise<void>;
}

/** The programs that a box needs of an image, besides the submitted one. */
const NEEDED = ["sh", "tar", "find", "stat"];
/** The PATH in a box. */
const PROGRAM_FOLDERS = ["usr/local/bin", "usr/bin", "bin"];

/** Unpacks squashfs images below `dir`, which only this function uses. */
export function createImages(dir: string): Images {
  const digests = new Map<string, Promise<string>>();
  const unpacked = new Map<string, Promise<string>>();

  /** An image belongs to the version of its challenge folder, so that it is read once. */
  function digestIn(folder: ChallengeFolder, path: string): Promise<string> {
    const key = JSON.stringify([folder.dir, folder.version, path]);
    return once(digests, key, () => digestTree(join(folder.dir, path)));
  }

  async function unpack(file: string, digest: string): Promise<string> {
    const root = join(dir, digest);
    const arriving = `${root}.new`;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await rm(arriving, { recursive: true, force: true });
    try {
      await promisify(execFile)("unsquashfs", ["-no-progress", "-no-xattrs", "-dest", arriving, file], {
        env: { PATH: "/usr/bin:/usr/sbin:/bin:/sbin" },
      });
    } catch (error) {
      await rm(arriving, { recursive: true, force: true });
      if ((error as NodeJS.ErrnoException).code === "ENOENT")
        throw new CrowdaiError(
          "sandbox_unavailable",
          "This grader cannot open images: squashfs-tools is not installed.",
        );
      const { stderr } = error as { stderr?: string };
      throw new RunFailure(
        "image_invalid",
        "The challenge's image cannot be opened.",
        String(stderr ?? error),
      );
    }
    await rename(arriving, root);
    return root;
  }

  return {
    async open(folder, image) {
      if (image === "host") return { root: null, digest: "host" };
      const path = join(folder.dir, image.path);
      const found = existsSync(path) ? lstatSync(path) : null;
      if (!found)
        throw new RunFailure(
          "image_invalid",
          "The challenge's image is missing.",
          `there is no ${image.path}`,
        );
      const digest = await digestIn(folder, image.path);
      if (image.sha256 !== undefined && image.sha256 !== digest)
        throw new RunFailure(
          "image_invalid",
          "The challenge's image is not the expected one.",
          `the digest of ${image.path} is ${digest}, not run.image.sha256`,
        );
      const root = found.isDirectory() ? path : await once(unpacked, digest, () => unpack(path, digest));
      for (const program of NEEDED)
        if (!hasProgram(root, program))
          throw new RunFailure(
            "image_invalid",
            "The challenge's image lacks a program that boxes need.",
            `${image.path} has no ${program}`,
          );
      return { root, digest };
    },
    close: () => rm(dir, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Whether the PATH of a box has a program. Links are not followed: they may be meant for the image. */
export function hasProgram(root: string | null, name: string): boolean {
  return PROGRAM_FOLDERS.some((folder) => {
    try {
      return !lstatSync(join(root ?? "/", folder, name)).isDirectory();
    } catch {
      return false;
    }
  });
}

/** Returns the value of a key, which is made once. A failure is tried again. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found) return found;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}
