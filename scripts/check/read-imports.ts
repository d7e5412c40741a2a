import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** One import of a source file. */
export interface Import {
  /** Path below the root folder, with slashes. */
  from: string;
  /** The imported file's path for a relative specifier, the specifier itself for a package. */
  to: string;
  isRelative: boolean;
}

const SPECIFIERS = [
  /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s+["']([^"']+)["']/gm,
  /^\s*import\s+["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']/g,
];

/** Returns the imports of every TypeScript file below `folder`: static, type-only and dynamic ones. */
export function readImports(root: string, folder: string): Import[] {
  return sourceFiles(root, folder).flatMap((from) => {
    const text = readFileSync(join(root, from), "utf8");
    const specifiers = SPECIFIERS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
    return specifiers.map((specifier) => {
      const isRelative = specifier.startsWith(".");
      const to = isRelative ? normalize(join(dirname(from), specifier)) : specifier;
      return { from, to: to.replaceAll("\\", "/"), isRelative };
    });
  });
}

function sourceFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("/node_modules/"))
    .sort();
}
