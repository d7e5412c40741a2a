import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { onTestFinished } from "vitest";

/** A temporary folder that is gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "crowdai-grader-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** A challenge folder on disk: programs by name, and the evaluator that challenge.json names. */
export async function makeChallenge(
  evaluator: object,
  files: Record<string, string> = {},
  id = "iris",
): Promise<ChallengeFolder> {
  const dir = join(await temporaryFolder(), id);
  await mkdir(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
    await chmod(join(dir, name), 0o755);
  }
  await writeFile(join(dir, "challenge.json"), JSON.stringify({ id, title: "Iris", score: {}, evaluator }));
  return await loadChallengeFolder(dir);
}
