/** The parts of vite's module graph that are used here. */
export interface LoadedModules {
  getModulesByFile(file: string): Set<LoadedModule> | undefined;
  getModuleById(id: string): LoadedModule | undefined;
}

interface LoadedModule {
  importers: Set<string>;
  evaluated: boolean;
  promise?: unknown;
  exports?: unknown;
}

/**
 * Makes these files, and all that import them, run again at their next import. Their code stays as it was
 * read.
 */
export function forget(modules: LoadedModules, files: readonly string[]): void {
  const forgotten = new Set<LoadedModule>();
  const pending = files.flatMap((file) => [...(modules.getModulesByFile(file) ?? [])]);
  for (let module = pending.pop(); module !== undefined; module = pending.pop()) {
    if (forgotten.has(module)) continue;
    forgotten.add(module);
    module.evaluated = false;
    module.promise = undefined;
    module.exports = undefined;
    for (const id of module.importers) {
      const importer = modules.getModuleById(id);
      if (importer) pending.push(importer);
    }
  }
}
