import { join, resolve, sep } from "node:path";
import { CrowdaiError } from "@crowdai/shared";

const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE_CHARACTERS = /[\u0000-\u001f\u007f<>:"|?*\\]/;

/**
 * Returns the path below `folder` of a file that the broker named. Throws for a name that leads out of the folder,
 * that an operating system reads as something else (a device, a drive), or that git would obey.
 */
export function containedPath(folder: string, name: string): string {
  const parts = name.split("/");
  const isBad = (part: string) =>
    part === "" ||
    part === "." ||
    part === ".." ||
    UNSAFE_CHARACTERS.test(part) ||
    RESERVED.test(part) ||
    /[. ]$/.test(part) ||
    /^\.git/i.test(part) ||
    Buffer.byteLength(part) > 255;
  const path = join(resolve(folder), ...parts);
  if (parts.some(isBad) || !path.startsWith(resolve(folder) + sep))
    throw new CrowdaiError("unexpected", `The broker sent the unsafe file name "${name}".`, {
      next: "Nothing was written. Tell the organizer of the challenge.",
      details: { name },
    });
  return path;
}
