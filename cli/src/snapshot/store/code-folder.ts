import { isAbsolute, join, resolve } from "node:path";
import { homeFolder } from "../../config/home-folder.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Returns the folder of all snapshots: inside CROWDAI_CONFIG_DIR if set, else inside the operating system's
 * cache folder.
 */
export function codeFolder(env: Env, platform: NodeJS.Platform = process.platform): string {
  if (env.CROWDAI_CONFIG_DIR) return join(resolve(env.CROWDAI_CONFIG_DIR), "code");
  const home = homeFolder(env);
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME))
    return join(env.XDG_CACHE_HOME, "crowdai", "code");
  if (platform === "win32")
    return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "crowdai", "code");
  if (platform === "darwin") return join(home, "Library", "Caches", "crowdai", "code");
  return join(home, ".cache", "crowdai", "code");
}
