import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import * as shared from "@crowdai/shared";
import { root } from "../root.ts";
import { reachableDeclarations } from "./reachable-declarations.ts";
import { declareTypes } from "./schema-types.ts";

/** What the library's types name and zod describes. All else that they take from shared is in errors.ts. */
const SCHEMAS = {
  Submission: shared.submissionSchema,
  SubmissionEvent: shared.submissionEventSchema,
  PublicChallenge: shared.challengeSchema,
  Round: shared.roundSchema,
  Session: shared.sessionSchema,
  Limits: shared.limitsSchema,
  Leaderboard: shared.leaderboardSchema,
  LeaderboardRow: shared.leaderboardRowSchema,
  Place: shared.queuePositionSchema,
};
const DERIVED = `export type SubmissionState = Submission["state"];
export type EventType = SubmissionEvent["type"];
`;

/**
 * Writes the client library's declarations to cli/dist/types: those files that src/index.ts reaches, with the shared
 * package's types written out, so that a participant's project needs neither that package nor zod.
 */
export async function buildTypes(): Promise<void> {
  await mkdir(join(root, "cli/dist"), { recursive: true });
  const work = await mkdtemp(join(root, "cli/dist/.types-"));
  try {
    await emitDeclarations(work);
    const types = join(work, "types");
    for (const [file, text] of reachableDeclarations(join(work, "all/cli/src"), "index.d.ts"))
      await write(join(types, file), rewriteImports(text, file));
    for (const file of ["errors.d.ts", "error-catalog.d.ts"])
      await write(
        join(types, "shared", file),
        rewriteImports(await readFile(join(work, "all/shared/src/protocol", file), "utf8"), file),
      );
    await write(
      join(types, "shared/index.d.ts"),
      `import type { ErrorBody } from "./errors.js";\nexport * from "./errors.js";\n${DERIVED}\n${declareTypes(SCHEMAS)}`,
    );
    await rm(join(root, "cli/dist/types"), { recursive: true, force: true });
    await rename(types, join(root, "cli/dist/types"));
  } finally {
    await rm(work, { recursive: true });
  }
}

/** All declarations, as tsc writes them. What it complains of is the business of the type check. */
async function emitDeclarations(work: string): Promise<void> {
  const config = join(work, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: "all",
    rootDir: root,
  };
  await write(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions,
      files: ["cli/src/index.ts", "shared/src/protocol/errors.ts"].map((file) => join(root, file)),
      include: [],
    }),
  );
  await new Promise((resolve) =>
    execFile(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config], resolve),
  );
}

/** The addresses of modules as a package has them. */
function rewriteImports(text: string, file: string): string {
  const shared = relative(dirname(file), "shared/index.js");
  return text
    .replace(/from "@crowdai\/shared(\/\w+)?"/g, `from "${shared.startsWith(".") ? shared : `./${shared}`}"`)
    .replace(/(from "\..*)\.ts"/g, '$1.js"');
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
