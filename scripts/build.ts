// Builds what the packages publish: cli/dist, broker/dist, grader/dist. `npm ci` runs it through `prepare`.
import { join } from "node:path";
import { buildCli } from "./build/cli.ts";
import { buildServer } from "./build/server.ts";
import { buildTypes } from "./build/types.ts";
import { root } from "./lib/root.ts";

const began = performance.now();
// challenge.json files name the schema by its path in an installed package.
const schema = join(root, "shared/challenge.schema.json");
// Programs that graders start, or show to the programs in their boxes.
const programs = [
  "evaluators/process/crowdai_driver.py",
  "evaluators/process/python_class.py",
  "evaluators/process/codabench.py",
  "evaluators/process/evalai.py",
  "evaluators/process/kaggle.py",
  "evaluators/process/gym_environment.py",
  "environment/agent/crowdai_agent.py",
  "environment/agent/crowdai-agent.js",
].map((name) => join(root, "grader/src", name));
const pages = ["site.css", "site.js", "icon.svg"].map((name) =>
  join(root, "broker/src/http/pages/assets", name),
);
const workers = ["background/media/image.worker.ts", "records/checkpoint.worker.ts"].map((name) =>
  join(root, "broker/src", name),
);
const builds = {
  cli: () => buildCli(),
  // The broker embeds the grader, and so carries its files too.
  broker: () => buildServer("broker", [...programs, schema, ...pages], workers),
  grader: () => buildServer("grader", [...programs, schema]),
  types: () => buildTypes(),
};
await Promise.all(
  Object.entries(builds).map(([name, build]) =>
    build().catch((error: Error) => {
      console.error(`${name}: build failed: ${error.message}`);
      process.exitCode = 1;
    }),
  ),
);
console.error(`build took ${((performance.now() - began) / 1000).toFixed(1)} s`);
