export { type BundleContents, type BundleFile, bundleContents } from "./bundle-files.ts";
export {
  BUNDLE_PREFIX,
  BUNDLE_VERSION,
  bundleKey,
  publicFileKey,
  readBundleKey,
} from "./bundle-keys.ts";
export { packBundle } from "./pack.ts";
export { unpackBundle } from "./unpack.ts";
export { unpackCode } from "./unpack-code.ts";
