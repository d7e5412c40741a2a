import { lstat, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { unpackArchive } from "@crowdai/shared/unpack-archive";

/** The bundle of a challenge of another platform, as a folder. */
export interface Bundle extends AsyncDisposable {
  kind: "evalai" | "codabench";
  /** The folder of its configuration, to which its paths are relative. */
  dir: string;
  /** The name of its configuration. */
  file: string;
}

const CONFIGS: Readonly<Record<string, Bundle["kind"]>> = {
  "challenge_config.yaml": "evalai",
  "challenge_config.yml": "evalai",
  "competition.yaml": "codabench",
  "competition.yml": "codabench",
};

/** Of bundles, and of the archives in them. */
export const BUNDLE_LIMITS = { maxFiles: 20_000, maxBytes: 4 * 1024 ** 3 };
const MAX_TEXT_BYTES = 4 * 1024 ** 2;

/** Opens a folder or an archive. Disposing the bundle removes what was unpacked. */
export async function openBundle(path: string): Promise<Bundle> {
  const found = await stat(path).catch((cause) => {
    throw bundleInvalid([`${path} cannot be read (${cause.code})`]);
  });
  const temporary = found.isDirectory() ? null : await mkdtemp(join(tmpdir(), "crowdai-import-"));
  const dispose = async () => {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const root = temporary === null ? path : join(temporary, "bundle");
    if (temporary !== null) await unpack(path, root);
    return { ...(await findConfig(root)), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Unpacks an archive into a new folder. */
export async function unpack(path: string, into: string): Promise<void> {
  try {
    await unpackArchive(path, into, BUNDLE_LIMITS, new AbortController().signal);
  } catch (error) {
    if (!(error instanceof CrowdaiError) || error.code !== "archive_invalid") throw error;
    throw bundleInvalid([error.message.replace(/\.$/, "")]);
  }
}

async function findConfig(root: string): Promise<Pick<Bundle, "kind" | "dir" | "file">> {
  for (const dir of [root, await onlyFolder(root)]) {
    if (dir === null) continue;
    const all = await readdir(dir);
    const known = all.filter((name) => name in CONFIGS).sort();
    const names = known.length > 0 ? known : await evalaiConfigs(dir, all);
    if (names.length > 1) throw bundleInvalid([`it has ${names.join(" and ")}; keep the one to import`]);
    const [file] = names;
    if (file === undefined) continue;
    if (!(await lstat(join(dir, file))).isFile()) throw bundleInvalid([`${file} is not a file`]);
    return { kind: CONFIGS[file] ?? "evalai", dir, file };
  }
  throw bundleInvalid([
    "it has neither challenge_config.yaml (EvalAI) nor competition.yaml (Codabench), at its top or in its only folder",
  ]);
}

/** EvalAI takes a configuration under any name. Returns the names of the files that are one. */
async function evalaiConfigs(dir: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names.filter((one) => /\.ya?ml$/i.test(one) && !isClutter(one)).sort()) {
    const path = join(dir, name);
    if (!(await lstat(path)).isFile()) continue;
    const text = await readText(path, { lenient: true }).catch(() => "");
    if (/^challenge_phases\s*:/m.test(text)) found.push(name);
  }
  return found;
}

/**
 * Returns the folder that holds everything else, as some archives have it; null when there is none, or more
 * than one.
 */
export async function onlyFolder(dir: string): Promise<string | null> {
  const entries = (await readdir(dir, { withFileTypes: true })).filter(({ name }) => !isClutter(name));
  const [one] = entries;
  return entries.length === 1 && one!.isDirectory() ? join(dir, one!.name) : null;
}

/** Whether a file is left behind by a system or an editor. */
export const isClutter = (name: string): boolean =>
  name.startsWith(".") || name === "__MACOSX" || name === "__pycache__" || name.endsWith(".pyc");

/**
 * Reads a text. One that is not UTF-8 or UTF-16 is taken as Windows-1252 when `lenient`, and is a problem
 * otherwise.
 */
export async function readText(path: string, { lenient }: { lenient: boolean }): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > MAX_TEXT_BYTES)
    throw new CrowdaiError("usage", `it is larger than ${MAX_TEXT_BYTES} bytes`);
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    if (lenient) return new TextDecoder("windows-1252").decode(bytes);
    throw new CrowdaiError("usage", "it is not UTF-8 text");
  }
}

/** An error with all reasons why a bundle cannot be imported. */
export function bundleInvalid(problems: readonly string[]): CrowdaiError {
  const message =
    problems.length === 1
      ? `The bundle cannot be imported: ${problems[0]}.`
      : `The bundle cannot be imported:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
  return new CrowdaiError("bundle_invalid", message, { details: { problems } });
}
