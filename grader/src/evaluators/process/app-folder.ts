import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BOX } from "../../box/sandbox.ts";
import type { Launch } from "./launch.ts";

/**
 * Folders of the containers in which Codabench runs a scoring program, some of which name them in their code.
 */
const LINKS = {
  program: `${BOX.scratch}/app/program`,
  input: `${BOX.scratch}/app/input`,
  shared: `${BOX.scratch}/app/shared`,
  output: BOX.output,
};

/** Adds the folder /app to the box of a scoring program: links to what its driver makes for each job. */
export function withAppFolder(launch: Launch, parent: string): Launch {
  if (!launch.box) return launch;
  const folder = join(parent, "app");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const [name, target] of Object.entries(LINKS))
    try {
      symlinkSync(target, join(folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  return { ...launch, box: { ...launch.box, readable: { ...launch.box.readable, "/app": folder } } };
}
