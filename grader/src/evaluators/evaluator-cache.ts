import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { type CreatedEvaluator, createEvaluator, type EvaluatorOptions } from "./create-evaluator.ts";

interface Entry extends CreatedEvaluator {
  version: string;
}

/**
 * Keeps one evaluator per challenge. A new version of its folder gets a new one; the old one stops after its
 * jobs.
 */
export function createEvaluatorCache(options: EvaluatorOptions) {
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();

  function retire(entry: Entry): void {
    const closed = entry.evaluator.close();
    closing.add(closed);
    closed.finally(() => closing.delete(closed));
  }

  return {
    of(folder: ChallengeFolder): Entry {
      const { id } = folder.config;
      const known = entries.get(id);
      if (known && known.version === folder.version) return known;
      if (known) retire(known);
      const entry = { version: folder.version, ...createEvaluator(folder, options) };
      entries.set(id, entry);
      return entry;
    },
    async close(): Promise<void> {
      for (const entry of entries.values()) retire(entry);
      entries.clear();
      await Promise.all(closing);
    },
  };
}
export type EvaluatorCache = ReturnType<typeof createEvaluatorCache>;
