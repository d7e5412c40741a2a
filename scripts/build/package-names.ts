import { isNodeBuiltin } from "./is-node-builtin.ts";

/**
 * Returns the names of the packages that import specifiers name, sorted and each once, without Node's own
 * modules.
 */
export function packageNames(specifiers: readonly string[]): string[] {
  const names = specifiers
    .filter((specifier) => !isNodeBuiltin(specifier) && !specifier.startsWith("."))
    .map((specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
  return [...new Set(names)].sort();
}
