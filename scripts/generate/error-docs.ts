// Writes docs/errors.md from the catalog of errors; with --check, says whether it is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CatalogRow, catalog } from "../../shared/src/protocol/errors.ts";
import { root } from "../lib/root.ts";

const file = join(root, "docs", "errors.md");
const FAULT = { you: "you", challenge: "the challenge", platform: "the platform" } as const;

export function errorDocs(): string {
  const rows = Object.entries<CatalogRow>(catalog).map(
    ([code, { fault, exit, http, retryable, title, next }]) =>
      `| <a id="${code}"></a>\`${code}\` | ${title} | ${FAULT[fault]} | ${exit} | ${http} | ${retryable ? "yes" : "no"} | ${next.replaceAll("|", "\\|")} |`,
  );
  return `# Errors

Every error has one of these codes: in text output (\`error[code]: …\`), in JSON output (\`error.code\`) and in the API's
responses. "Fault" says who has to act: a submission that fails because of the challenge or the platform costs no slot.
"Retry" says whether the same request, unchanged, may succeed later.

| code | meaning | fault | exit code | HTTP | retry | what to do |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = errorDocs();
  if (!process.argv.includes("--check")) writeFileSync(file, wanted);
  else if (readFileSync(file, "utf8") !== wanted) {
    console.error("docs/errors.md is out of date: run node scripts/generate/error-docs.ts");
    process.exitCode = 1;
  }
}
