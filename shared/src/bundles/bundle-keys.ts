/** What a bundle's version looks like: the beginning of a digest of what is in it. */
export const BUNDLE_VERSION = /^[0-9a-f]{16}$/;

const BUNDLES = "bundles/";
const BUNDLE_KEY = /^bundles\/([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\/([0-9a-f]{16})\.tar\.gz$/;

/** Prefix of the keys of all bundles. */
export const BUNDLE_PREFIX = BUNDLES;

export const bundleKey = (challenge: string, version: string): string =>
  `${BUNDLES}${challenge}/${version}.tar.gz`;

/** The challenge and version a bundle's key names; null for other keys. */
export function readBundleKey(key: string): { challenge: string; version: string } | null {
  const [, challenge, version] = BUNDLE_KEY.exec(key) ?? [];
  return challenge && version ? { challenge, version } : null;
}

/** A public file of a bundled challenge: by its digest, so that versions share what did not change. */
export const publicFileKey = (challenge: string, sha256: string): string => `public/${challenge}/${sha256}`;
