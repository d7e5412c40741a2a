import { isAbsolute, join, resolve } from "node:path";
import { homeFolder } from "./home-folder.ts";

/**
 * Returns the user's crowdAI folder: CROWDAI_CONFIG_DIR, else one in the operating system's settings folder.
 */
export function configFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): { path: string; source: string } {
  if (env.CROWDAI_CONFIG_DIR) return { path: resolve(env.CROWDAI_CONFIG_DIR), source: "CROWDAI_CONFIG_DIR" };
  const home = homeFolder(env);
  // The XDG specification says to ignore a relative path.
  if (env.XDG_CONFIG_HOME && isAbsolute(env.XDG_CONFIG_HOME))
    return { path: join(env.XDG_CONFIG_HOME, "crowdai"), source: "XDG_CONFIG_HOME" };
  if (platform === "win32")
    return { path: join(env.APPDATA || join(home, "AppData", "Roaming"), "crowdai"), source: "default" };
  if (platform === "darwin")
    return { path: join(home, "Library", "Application Support", "crowdai"), source: "default" };
  return { path: join(home, ".config", "crowdai"), source: "default" };
}
