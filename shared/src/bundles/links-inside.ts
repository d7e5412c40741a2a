import { posix } from "node:path";

/**
 * Returns the links of an archive that stay inside the folder that it is unpacked into, by their names.
 * Neither a link nor its target is reached through another link, which could lead elsewhere.
 */
export function linksInside(links: ReadonlyMap<string, string>): [name: string, target: string][] {
  return [...links].filter(([name, target]) => {
    if (target === "" || target.startsWith("/") || /[\\\0]/.test(target)) return false;
    const place = posix.join(posix.dirname(name), target);
    return (
      !/^\.\.(\/|$)/.test(place) &&
      !passesLink("", name, links) &&
      !passesLink(posix.dirname(name), target, links)
    );
  });
}

/** Whether a folder on the way from a folder to a path is a link. */
function passesLink(from: string, path: string, links: ReadonlyMap<string, string>): boolean {
  const parts = path.split("/");
  return parts.some(
    (_, count) => count > 0 && links.has(posix.join(from, ...parts.slice(0, count)).replace(/\/$/, "")),
  );
}
