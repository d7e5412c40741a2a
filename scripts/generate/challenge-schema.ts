// Writes shared/challenge.schema.json, from which editors complete challenge.json; with --check, says whether
// it is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { challengeJsonSchema } from "../../shared/src/challenge-folder/config-json-schema.ts";
import { root } from "../lib/root.ts";

const file = join(root, "shared/challenge.schema.json");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = `${JSON.stringify(challengeJsonSchema(), null, 2)}\n`;
  if (!process.argv.includes("--check")) writeFileSync(file, wanted);
  else if (readFileSync(file, "utf8") !== wanted) {
    console.error(
      "shared/challenge.schema.json is out of date: run node scripts/generate/challenge-schema.ts",
    );
    process.exitCode = 1;
  }
}
