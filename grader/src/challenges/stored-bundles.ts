import { BUNDLE_PREFIX, readBundleKey } from "@crowdai/shared/bundles";
import type { ObjectStore } from "@crowdai/shared/objects";

/** Returns the ids of the challenges that have a bundle in the store. */
export async function storedBundles(objects: Pick<ObjectStore, "list">): Promise<Set<string>> {
  const challenges = new Set<string>();
  for await (const key of objects.list(BUNDLE_PREFIX)) {
    const found = readBundleKey(key);
    if (found) challenges.add(found.challenge);
  }
  return challenges;
}
