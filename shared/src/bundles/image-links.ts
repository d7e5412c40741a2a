import { posix } from "node:path";
import type { ChallengeConfig } from "../challenge-folder/challenge-config.ts";

const MAX_FOLLOWED = 40;

/** Returns the paths of images in a challenge folder, each with a slash at its end. */
export function imagePaths({ run, environment }: Pick<ChallengeConfig, "run" | "environment">): string[] {
  return [run?.image, environment?.code.image].flatMap((image) =>
    typeof image === "object" ? [`${posix.normalize(image.path).replace(/\/$/, "")}/`] : [],
  );
}

/**
 * Returns whether a symbolic link of an image leads out of it. As in a box, a target that starts with a slash
 * starts at the root of the image. `links` are the targets of all links of the image; all names are paths
 * below it.
 */
export function leadsOutOfImage(name: string, links: ReadonlyMap<string, string>): boolean {
  let place = name.split("/").slice(0, -1);
  const rest: string[] = [];
  const follow = (target: string) => {
    if (target.startsWith("/")) place = [];
    rest.unshift(...target.split("/").filter((part) => part !== "" && part !== "."));
  };
  follow(links.get(name)!);
  for (let followed = 1; rest.length > 0; ) {
    const part = rest.shift()!;
    if (part === "..") {
      if (place.pop() === undefined) return true;
      continue;
    }
    const target = links.get([...place, part].join("/"));
    if (target === undefined) place.push(part);
    // A circle leads nowhere.
    else if (followed++ < MAX_FOLLOWED) follow(target);
    else return false;
  }
  return false;
}
