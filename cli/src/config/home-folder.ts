import { homedir } from "node:os";

/**
 * Returns the user's home folder. A user without one, as in a container that runs with an unknown id, gets a
 * path below which nothing exists and nothing can be created.
 */
export function homeFolder(env: Readonly<Record<string, string | undefined>>): string {
  const named = env.HOME || env.USERPROFILE;
  if (named) return named;
  try {
    return homedir() || NOWHERE;
  } catch {
    return NOWHERE;
  }
}

const NOWHERE = "/dev/null";
