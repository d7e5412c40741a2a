import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../lib/root.ts";

interface DeclarationSources {
  /** The folder in which tsc wrote the declarations of the workspace. */
  work: string;
  /** Whether the types of schemas come from work/client-schemas.d.ts. */
  schemas: boolean;
}

const sharedExports: Record<string, string> = JSON.parse(
  readFileSync(join(root, "shared/package.json"), "utf8"),
).exports;

/**
 * Resolves an import in a declaration file: to another declaration of the workspace, or to a package that
 * stays outside.
 */
export function resolveDeclaration(
  id: string,
  importer: string | undefined,
  { work, schemas }: DeclarationSources,
): string | { id: string; external: true } | undefined {
  if (id.startsWith(".") && importer) return join(dirname(importer), toDeclaration(id));
  if (!importer || id.startsWith("/")) return undefined;
  if (schemas && id === "@crowdai/shared") return join(work, "client-schemas.d.ts");
  if (!id.startsWith("@crowdai/shared")) return { id, external: true };
  const source = sharedExports[id.replace("@crowdai/shared", ".")];
  if (!source) throw new Error(`shared/package.json does not export ${id}, which ${importer} imports`);
  return join(work, "shared", toDeclaration(source));
}

const toDeclaration = (path: string) => path.replace(/(\.d)?\.(tsx?|js)$/, ".d.ts");
