import { BUNDLE_PREFIX, readBundleKey } from "@crowdai/shared/bundles";
import type { ObjectStore } from "@crowdai/shared/objects";

/**
 * Returns the ids of the challenges that have a bundle in the store, each with the versions of its bundles in
 * one string.
 */
export async function storedBundles(objects: Pick<ObjectStore, "list">): Promise<Map<string, string>> {
  const challenges = new Map<string, string>();
  for await (const key of objects.list(BUNDLE_PREFIX)) {
    const found = readBundleKey(key);
    if (found)
      challenges.set(found.challenge, `${challenges.get(found.challenge) ?? ""} ${found.version}`.trim());
  }
  return challenges;
}
