// Builds what the three commands run: cli/dist, broker/dist, grader/dist. `npm ci` runs it through `prepare`.
import { join } from "node:path";
import { buildCli } from "./build-cli.ts";
import { buildServer } from "./build-server.ts";
import { buildTypes } from "./build-types.ts";
import { root } from "./root.ts";

const began = performance.now();
const python = join(root, "grader/src/evaluator/python_class.py");
// The broker embeds the grader, and so carries its files too.
await Promise.all([
  buildCli().then(buildTypes),
  buildServer("broker", [python]),
  buildServer("grader", [python]),
]);
console.error(`built cli, broker and grader in ${((performance.now() - began) / 1000).toFixed(1)} s`);
