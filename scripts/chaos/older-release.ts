import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { root } from "../lib/root.ts";

const run = promisify(execFile);
const MIGRATIONS = "broker/src/records/migrations";
const PACKAGES = ["shared", "cli", "broker", "grader"];

export interface OlderRelease {
  /** Describes it, with the reason for this choice. */
  name: string;
  /** The built programs. */
  broker: string;
  grader: string;
}

/**
 * Finds an older release: in a folder that has one built or installed, or at a git revision, which is built
 * in `folder` with the packages that are installed here. By default the newest tag before this tree, or the
 * last commit before its newest migration.
 */
export async function prepareOlderRelease(wanted: string | null, folder: string): Promise<OlderRelease> {
  if (wanted !== null && existsSync(wanted)) return releaseIn(resolve(wanted), `of ${resolve(wanted)}`);
  const { revision, reason } = wanted === null ? await defaultRevision() : { revision: wanted, reason: null };
  const commit = await git("rev-parse", "--verify", "--quiet", `${revision}^{commit}`).catch(() => {
    throw new Error(`There is no folder and no revision ${revision}.`);
  });
  const described = await git("log", "-1", "--format=%h of %as, %s", commit);
  await build(commit, folder);
  return releaseIn(folder, `${described}${reason ? ` (${reason})` : ""}`);
}

async function defaultRevision(): Promise<{ revision: string; reason: string }> {
  const tag = await git("describe", "--tags", "--abbrev=0", "HEAD^").catch(() => "");
  if (tag) return { revision: tag, reason: "the newest tag" };
  const newest = (await readdir(join(root, MIGRATIONS)))
    .filter((name) => /^\d+-.*\.ts$/.test(name) && !name.endsWith(".test.ts"))
    .sort()
    .at(-1)!;
  const added = await git("log", "--diff-filter=A", "--format=%H", "--", join(MIGRATIONS, newest));
  const parent =
    added && (await git("rev-parse", "--verify", "--quiet", `${added.split("\n")[0]}^`).catch(() => ""));
  if (!parent)
    throw new Error(
      `This clone has no tag, and no commit before ${newest}. Name a revision: --with two-releases=<revision>`,
    );
  return { revision: parent, reason: `the last commit before ${newest}, as there is no tag` };
}

function releaseIn(folder: string, name: string): OlderRelease {
  const program = (part: string) => {
    const places = [join(folder, part), join(folder, "node_modules/@crowdai", part)];
    const found = places.map((place) => join(place, "dist/bin.js")).find((file) => existsSync(file));
    if (!found) throw new Error(`${folder} has no built ${part} (${part}/dist/bin.js).`);
    return found;
  };
  return { name, broker: program("broker"), grader: program("grader") };
}

async function build(commit: string, folder: string): Promise<void> {
  await run("git", ["clone", "--quiet", "--shared", "--no-checkout", root, folder]);
  await run("git", ["-C", folder, "checkout", "--quiet", commit]);
  // Its own workspace's packages, and all others from here.
  await mkdir(join(folder, "node_modules/@crowdai"), { recursive: true });
  for (const name of await readdir(join(root, "node_modules")))
    if (name !== "@crowdai")
      await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  for (const name of PACKAGES) await symlink(join(folder, name), join(folder, "node_modules/@crowdai", name));
  // A part that fails to build, such as the types of the client, may not be needed: what is, is looked for
  // afterwards.
  await run(process.execPath, ["scripts/build.ts"], { cwd: folder, maxBuffer: 1 << 24 }).catch(() => {});
}

const git = async (...args: string[]) => (await run("git", ["-C", root, ...args])).stdout.trim();
