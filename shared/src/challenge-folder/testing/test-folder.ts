import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { CrowdaiError } from "../../protocol/errors.ts";
import type { ConfigProblem } from "../config-problems.ts";

/** The least that challenge.json must hold. */
export const MINIMAL = {
  id: "iris",
  title: "Iris",
  score: {},
  evaluator: { command: ["python3", "evaluate.py"] },
};

/** The contents of a path in a written folder: text, bytes, or a link to somewhere. */
type Content = string | Uint8Array | { link: string };

/** A temporary folder with the given files, by path. It is gone when the test is. */
export async function createTestFolder(files: Record<string, Content> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "crowdai-shared-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await write(join(dir, name), content);
  return dir;
}

/**
 * A challenge folder named `iris`: challenge.json (an object, or its text), an evaluate.py, and the given
 * files.
 */
export async function createTestChallenge(
  config: object | string = {},
  files: Record<string, Content> = {},
): Promise<string> {
  const text = typeof config === "string" ? config : JSON.stringify({ ...MINIMAL, ...config });
  const all = { "challenge.json": text, "evaluate.py": "print()\n", ...files };
  const root = await createTestFolder(
    Object.fromEntries(Object.entries(all).map(([name, content]) => [join("iris", name), content])),
  );
  return join(root, "iris");
}

/** The mistakes that loading was refused with: as lines of the message without the first, and as details. */
export async function problemsOf(
  loading: Promise<unknown>,
): Promise<{ first: string; lines: string[]; details: ConfigProblem[] }> {
  const error = await loading.then(
    () => {
      throw new Error("nothing was refused");
    },
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CrowdaiError) || error.code !== "config_invalid") throw error;
  const [first = "", ...lines] = error.message.split("\n");
  return { first, lines, details: error.details?.mistakes as ConfigProblem[] };
}

async function write(path: string, content: Content): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (typeof content === "object" && "link" in content) return symlink(content.link, path);
  await writeFile(path, content);
  await chmod(path, 0o644);
}
