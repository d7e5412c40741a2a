/**
 * Returns what loads the files that a standalone executable contains, by name; undefined for the package,
 * which has them beside it.
 */
export function embeddedFiles(): (() => Promise<Record<string, string>>) | undefined {
  return (globalThis as Record<symbol, (() => Promise<Record<string, string>>) | undefined>)[
    Symbol.for("crowdai.embedded-files")
  ];
}
