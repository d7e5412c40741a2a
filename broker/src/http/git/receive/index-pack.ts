import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { Git } from "../../../background/git/git.ts";

const MAX_OBJECTS = 400_000;
/** CPU seconds for a pack, plus one per BYTES_PER_SECOND. A snapshot of 200,000 files takes one. */
const CPU_SECONDS = 5;
const BYTES_PER_SECOND = 20 * 1024 * 1024;

/** Objects of a push that are not verified yet; no reader sees them. */
export interface Quarantine {
  git: Git;
  /** The repository that the push is for. */
  dir: string;
  objects: { own: string; others: string[] };
}

export async function openQuarantine(git: Git, dir: string, folder: string): Promise<Quarantine> {
  const own = join(folder, "objects");
  await mkdir(join(own, "pack"), { recursive: true, mode: 0o700 });
  return { git, dir, objects: { own, others: [join(dir, "objects")] } };
}

/**
 * Unpacks the pack into the quarantine with git, which verifies every object and its links. Throws code_unfit
 * for a pack that is broken or malicious, or takes too many resources.
 */
export async function indexPack(
  { git, dir, objects }: Quarantine,
  path: string,
  size: number,
): Promise<void> {
  await using file = await open(path, "r");
  const head = Buffer.alloc(12);
  const { bytesRead } = await file.read(head, 0, 12, 0);
  if (bytesRead < 12 || head.toString("latin1", 0, 4) !== "PACK" || head.readUInt32BE(4) !== 2)
    throw codeUnfit("the push is not a git pack, or it is incomplete");
  const count = head.readUInt32BE(8);
  if (count > MAX_OBJECTS) throw codeUnfit(`the pack has ${count} objects; the limit is ${MAX_OBJECTS}`);
  if (count === 0) return;
  // A second descriptor that reads from the start.
  await using input = await open(path, "r");
  const ended = await git.run(["index-pack", "--stdin", "--fix-thin", "--strict", "--threads=1"], {
    dir,
    objects,
    input: input.fd,
    cpuSeconds: CPU_SECONDS + Math.floor(size / BYTES_PER_SECOND),
    timeoutMs: 120_000,
    output: 64 * 1024,
  });
  if (ended.code === 0) return;
  if (ended.ended) throw codeUnfit("the pack takes too long to unpack");
  if (/out of memory|malloc|mmap/i.test(ended.stderr) || ended.signal)
    throw codeUnfit("the pack takes too much memory to unpack");
  throw codeUnfit(reasonOf(ended.stderr));
}

export const codeUnfit = (what: string) =>
  new CrowdaiError("code_unfit", `The broker rejected the code: ${what}.`);

/** Returns git's own message without the broker's paths. */
function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => /^(error|fatal): /.test(line));
  const line = lines.find((each) => each.startsWith("error: ")) ?? lines[0] ?? "";
  const words = line
    .replace(/^(error|fatal): /, "")
    .replace(/\/\S+\//g, "")
    .replace(/[^\x20-\x7e]/g, "?")
    .replace(/[.\s]+$/, "")
    .slice(0, 200);
  return words ? `git says "${words}"` : "the pack is broken";
}
