export { type BundleContents, type BundleFile, bundleContents } from "./bundle-files.ts";
export {
  BUNDLE_PREFIX,
  BUNDLE_VERSION,
  bundleKey,
  publicFileKey,
  readBundleKey,
} from "./bundle-keys.ts";
export { imagePaths } from "./image-links.ts";
export { linksInside } from "./links-inside.ts";
export { packBundle } from "./pack-bundle.ts";
export { unpackBundle } from "./unpack-bundle.ts";
export { unpackCode } from "./unpack-code.ts";
export { isInside, unpackEntries } from "./unpack-entries.ts";
