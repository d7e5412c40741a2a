// `npm run generate`: writes the files that are made from the sources. `npm run check` fails while one of
// them is outdated.
import { runCommand } from "./lib/run-command.ts";
import { step } from "./lib/step.ts";

for (const name of ["error-docs", "command-docs", "man-page", "challenge-schema"]) {
  const { exitCode } = await step(name, () => runCommand(process.execPath, [`scripts/generate/${name}.ts`]));
  if (exitCode !== 0) process.exitCode = 1;
}
