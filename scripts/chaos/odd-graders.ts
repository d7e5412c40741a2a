import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Condition } from "./conditions.ts";

/** A grader beside the others with which something is wrong as long as it runs. */
export interface OddGrader {
  name: string;
  /** Stands before its command. */
  prefix?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** A file system of its own that is easily filled, at this path in the grader's view. */
  smallDisk?: string;
}

const DISK = "16m";
const DAY_BEHIND = String(-86_400_000);

export function oddGraders(conditions: ReadonlySet<Condition>, folder: string): OddGrader[] {
  mkdirSync(folder, { recursive: true });
  const graders: OddGrader[] = [];
  if (conditions.has("wrong-clock"))
    graders.push({ name: "wrong-clock", env: { CHAOS_CLOCK_OFFSET_MS: DAY_BEHIND } });
  if (conditions.has("broken-evaluator")) {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const python = "#!/bin/sh\necho python3: cannot open libpython3.so >&2\nexit 127\n";
    writeFileSync(join(bin, "python3"), python, { mode: 0o755 });
    graders.push({ name: "broken-evaluator", env: { PATH: `${bin}:${process.env.PATH}` } });
  }
  if (conditions.has("full-disk")) {
    const disk = join(folder, "small-disk");
    mkdirSync(disk);
    // Mounted in the grader's own view: it is gone with the grader, however that ends.
    const mount = `mount -t tmpfs -o size=${DISK} small-disk "$0" && exec "$@"`;
    const prefix = ["unshare", "--mount", "sh", "-c", mount, disk];
    graders.push({ name: "full-disk", prefix, env: { TMPDIR: disk }, smallDisk: disk });
  }
  return graders;
}
