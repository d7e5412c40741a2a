import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MEDIA_TYPES, PAGE_FILE_TYPES } from "@crowdai/shared/media-types";
import { Hono } from "hono";

const TYPES = { ...PAGE_FILE_TYPES, svg: MEDIA_TYPES.svg };
type Type = keyof typeof TYPES;

/** Files that the pages load. The build puts them beside the bundle. */
const FILES = {
  "site.css": () => own("site.css"),
  "site.js": () => own("site.js"),
  "icon.svg": () => own("icon.svg"),
};
export type AssetName = keyof typeof FILES;

function own(name: string): string {
  return join(import.meta.dirname, name);
}

interface Asset {
  address: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}
const loaded = new Map<AssetName, Asset>();

function load(name: AssetName): Asset {
  const known = loaded.get(name);
  if (known) return known;
  const bytes = Uint8Array.from(readFileSync(FILES[name]()));
  const [stem, extension] = name.split(".") as [string, Type];
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const asset = { address: `/assets/${stem}-${digest}.${extension}`, type: TYPES[extension], bytes };
  loaded.set(name, asset);
  return asset;
}

/** Returns the file's address. It changes with the contents, so browsers may cache the file forever. */
export const asset = (name: AssetName): string => load(name).address;

export function assetRoutes(): Hono {
  const routes = new Hono();
  routes.get("/assets/:file", (c, next) => {
    const name = (Object.keys(FILES) as AssetName[]).find((one) => asset(one) === c.req.path);
    if (!name) return next();
    const { type, bytes } = load(name);
    return c.body(bytes, 200, {
      "content-type": type,
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
    });
  });
  return routes;
}
