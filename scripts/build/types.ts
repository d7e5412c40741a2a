import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";
import { root } from "../lib/root.ts";
import { packageNames } from "./package-names.ts";
import { resolveDeclaration } from "./resolve-declaration.ts";
import { declareClientSchemas } from "./schema-types.ts";

const PACKAGES = ["cli", "broker", "grader"] as const;
type PackageFolder = (typeof PACKAGES)[number];

/**
 * Writes dist/index.d.ts of the client, the broker and the grader: one file each, with the types of the
 * workspace's private packages inside. The client's needs no package at all, so its schemas are written out
 * as interfaces.
 */
export async function buildTypes(): Promise<void> {
  await mkdir(join(root, "cli/dist"), { recursive: true });
  const work = await mkdtemp(join(root, "cli/dist/.types-"));
  try {
    await emitDeclarations(work);
    await writeFile(join(work, "client-schemas.d.ts"), await declareClientSchemas("./shared/src/index.d.ts"));
    for (const name of PACKAGES) await bundle(name, work);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Has tsc write the declarations of every source file. Errors in types are found by `npm run check`. */
async function emitDeclarations(work: string): Promise<void> {
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: work,
      rootDir: root,
    },
    files: PACKAGES.map((name) => join(root, name, "src/index.ts")),
    // Of what is imported by a package's name, tsc writes no declarations by itself.
    include: [join(root, "shared/src")],
    exclude: ["*.test.ts", "*.contract.ts", "testing"].map((name) => join(root, "shared/src/**", name)),
  };
  await writeFile(join(work, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", work]);
}

/**
 * Throws on an import of a package that is not a dependency: users of the bundle would not have its types.
 */
async function bundle(name: PackageFolder, work: string): Promise<void> {
  const bundled = await rolldown({
    input: join(work, name, "src/index.d.ts"),
    plugins: [
      {
        name: "workspace-declarations",
        resolveId: {
          order: "pre",
          handler: (id, importer) => resolveDeclaration(id, importer, { work, schemas: name === "cli" }),
        },
      },
      // Nothing is generated: tsc has written all declarations.
      dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false, oxc: true }),
    ],
    logLevel: "warn",
  });
  const { output } = await bundled.generate({ format: "es" });
  const { code } = output[0];
  const { dependencies = {} } = JSON.parse(await readFile(join(root, name, "package.json"), "utf8"));
  const missing = packageNames(importedSpecifiers(code)).filter((imported) => !dependencies[imported]);
  if (missing.length > 0)
    throw new Error(
      `${name}'s types import ${missing.join(", ")}, not in dependencies of ${name}/package.json`,
    );
  await mkdir(join(root, name, "dist"), { recursive: true });
  await writeFile(join(root, name, "dist/index.d.ts"), code);
}

const importedSpecifiers = (declarations: string) =>
  [...declarations.matchAll(/(?: from |import\()"([^"]+)"/g)].map(([, specifier]) => specifier!);
