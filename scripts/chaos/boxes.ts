import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killGraders } from "../../grader/src/testing/killed-graders.ts";
import { closeInheritedFiles } from "../../shared/src/close-inherited-files.ts";
import { root } from "../lib/root.ts";
import { createSeededRandom } from "./seeded-random.ts";

/**
 * Runs each hostile program in a box of its own, then kills graders while they run boxes, until there were as
 * many boxes as wanted. Returns the exit code: 1 when a program got out, or anything is left.
 */
export async function attackBoxes({ boxes, seed }: { boxes: number; seed: number }): Promise<number> {
  closeInheritedFiles();
  console.log(`boxes: seed ${seed}, ${boxes} boxes\nhostile programs, each in a box of its own`);
  const { status } = spawnSync(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), "run", "grader/src/box/abuse.test.ts"],
    { cwd: root, stdio: "inherit", env: { ...process.env, CROWDAI_BOX_PER_PROGRAM: "1" } },
  );
  const parent = mkdtempSync(join(tmpdir(), "crowdai-chaos-boxes-"));
  const [folder, into] = [join(parent, "boxes"), mkdtempSync(join(parent, "out-"))];
  try {
    const random = createSeededRandom(seed);
    let kills = 0;
    const began = performance.now();
    const left = await killGraders({
      ...{ boxes, folder, into },
      random: random.next,
      onKill(count) {
        if (++kills % 50 === 0) console.log(`  ${kills} graders killed, ${count} of ${boxes} boxes`);
      },
    });
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(`${kills} graders killed in ${seconds} s; left after the next start: ${left.length}`);
    for (const line of left) console.log(`  ${line}`);
    return status === 0 && left.length === 0 ? 0 : 1;
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
