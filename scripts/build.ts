// Builds what the three commands run: cli/dist, broker/dist, grader/dist. `npm ci` runs it through `prepare`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildServer } from "./build-server.ts";
import { root } from "./root.ts";

const began = performance.now();
const python = join(root, "grader/src/evaluator/python_class.py");
// The broker embeds the grader, and so carries its files too.
await Promise.all([buildClient(), buildServer("broker", [python]), buildServer("grader", [python])]);
console.error(`built cli, broker and grader in ${((performance.now() - began) / 1000).toFixed(1)} s`);

async function buildClient(): Promise<void> {
  const file = join(root, "scripts/build-cli.ts");
  if (!existsSync(file)) return console.error("cli left out: no scripts/build-cli.ts");
  const { buildCli } = (await import(file)) as { buildCli: () => Promise<unknown> };
  await buildCli();
}
