import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import * as shared from "@crowdai/shared";
import { root } from "./root.ts";
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
    await collect(join(work, "all/cli/src"), "index.d.ts", types, new Set());
    await write(
      join(types, "shared/errors.d.ts"),
      await readFile(join(work, "all/shared/src/protocol/errors.d.ts"), "utf8"),
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

/** Copies a declaration file and those that it reaches, with the addresses of modules made right for a package. */
async function collect(from: string, file: string, to: string, seen: Set<string>): Promise<void> {
  if (seen.has(file)) return;
  seen.add(file);
  const text = await readFile(join(from, file), "utf8");
  const reached: string[] = [];
  const addressed = text.replace(/(from |import\()"([^"]+)"/g, (whole, keyword: string, address: string) => {
    if (address === "@crowdai/shared") {
      const up = relative(dirname(file), "shared/index.js");
      return `${keyword}"${up.startsWith(".") ? up : `./${up}`}"`;
    }
    if (!address.startsWith(".")) return whole;
    reached.push(join(dirname(file), address.replace(/\.ts$/, ".d.ts")));
    return `${keyword}"${address.replace(/\.ts$/, ".js")}"`;
  });
  await write(join(to, file), addressed);
  for (const next of reached) await collect(from, next, to, seen);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
