/** The form of a bundle's version: the beginning of a digest of its contents. */
export const BUNDLE_VERSION = /^[0-9a-f]{16}$/;

const BUNDLES = "bundles/";
const BUNDLE_KEY = /^bundles\/([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\/([0-9a-f]{16})\.tar\.gz$/;

/** Prefix of the keys of all bundles. */
export const BUNDLE_PREFIX = BUNDLES;

export const bundleKey = (challenge: string, version: string): string =>
  `${BUNDLES}${challenge}/${version}.tar.gz`;

/** Returns the challenge and version in a bundle's key; null for other keys. */
export function readBundleKey(key: string): { challenge: string; version: string } | null {
  const [, challenge, version] = BUNDLE_KEY.exec(key) ?? [];
  return challenge && version ? { challenge, version } : null;
}

/**
 * The key of a public file of a bundled challenge. It contains the digest, so that versions share unchanged
 * files.
 */
export const publicFileKey = (challenge: string, sha256: string): string => `public/${challenge}/${sha256}`;
