import { CrowdaiError, fileNameProblem, foldedName } from "@crowdai/shared";
import { killGroup } from "../../../background/git/git.ts";
import { codeUnfit, type Quarantine } from "./index-pack.ts";

export interface TreeLimits {
  bytes: number;
  files: number;
}

const MAX_ENTRIES = 400_000;
const MAX_PATH_BYTES = 1000;
const MAX_NAMES = 48 * 1024 * 1024;
const MAX_LINK_BYTES = 4096;
/** 200,000 files take half a second. For a chain of deltas, git walks the whole chain to get each size. */
const CPU_SECONDS = 3;
const ENTRY = /^(\d{6}) (blob|tree|commit) [0-9a-f]{40} +(\d+|-|BAD)\t(.*)$/su;
const LINK = "120000";

/**
 * Walks the tree as data and stops at the first violation, so a tree that expands to billions of entries
 * costs as little as one that is slightly too large. Returns its number of files and bytes.
 */
export async function checkTree(
  { git, dir, objects }: Quarantine,
  tree: string,
  limits: TreeLimits,
): Promise<{ files: number; bytes: number }> {
  const child = await git.start(["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", tree], {
    dir,
    objects,
    cpuSeconds: CPU_SECONDS,
    timeoutMs: 120_000,
  });
  child.stdin?.end();
  child.stderr?.resume();
  const closed = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const seen = createSeen(limits);
  try {
    for await (const entry of entries(child.stdout as AsyncIterable<Buffer>)) seen.add(entry);
  } finally {
    killGroup(child);
    child.stdout?.destroy();
  }
  if ((await closed) !== 0) throw codeUnfit("its tree cannot be read completely");
  return seen.total();
}

async function* entries(output: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of output) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let end = rest.indexOf(0, from); end >= 0; end = rest.indexOf(0, from)) {
      try {
        yield decoder.decode(rest.subarray(from, end));
      } catch (cause) {
        if (cause instanceof TypeError) throw codeUnfit("a file name is not UTF-8");
        throw cause;
      }
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > MAX_PATH_BYTES * 4 + 100) throw codeUnfit("a path is too long");
  }
}

function createSeen(limits: TreeLimits) {
  const names = new Map<string, string>();
  let files = 0;
  let bytes = 0;
  let letters = 0;

  function add(line: string): void {
    const [, mode, type, size, path] = ENTRY.exec(line) ?? [];
    if (!mode || !type || !size || path === undefined) throw codeUnfit("its tree cannot be read");
    requireFileName(path);
    letters += path.length;
    if (names.size >= MAX_ENTRIES || letters > MAX_NAMES) throw tooLarge("files and folders", MAX_ENTRIES);
    const key = foldedName(path);
    const other = names.get(key);
    if (other !== undefined)
      throw codeUnfit(
        `${quote(other)} and ${quote(path)} would be the same file on systems that ignore case`,
      );
    names.set(key, path);
    if (type === "commit") throw codeUnfit(`${quote(path)} is a submodule; add its files instead`);
    if (type === "tree") return;
    if (size === "BAD" || size === "-") throw codeUnfit(`the content of ${quote(path)} is missing`);
    if (mode === LINK && Number(size) > MAX_LINK_BYTES)
      throw codeUnfit(`the link ${quote(path)} is too long`);
    files++;
    bytes += Number(size);
    if (files > limits.files) throw tooLarge("files", limits.files);
    if (bytes > limits.bytes) throw tooLarge("bytes", limits.bytes);
  }

  return { add, total: () => ({ files, bytes }) };
}

/** Throws code_unfit for a name with a special meaning to git, Windows or a terminal. */
export function requireFileName(path: string): void {
  const problem = fileNameProblem(path);
  if (problem) throw codeUnfit(`${quote(path)}: ${problem}`);
}

function tooLarge(what: string, most: number): CrowdaiError {
  return new CrowdaiError("code_too_large", `The code has more than ${most} ${what}.`);
}

const quote = (path: string) => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
