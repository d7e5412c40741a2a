import { CrowdaiError } from "@crowdai/shared";
import type { CodeHostSettings } from "../config.ts";
import type { CodeHost } from "./code-host.ts";
import { createLocalHost } from "./local.ts";

/** The code host the settings name. */
export async function openCodeHost(settings: CodeHostSettings, baseUrl: () => string): Promise<CodeHost> {
  if (settings.kind === "local") return createLocalHost(baseUrl);
  throw new CrowdaiError("config_invalid", `CODE_HOST=${settings.kind} is not available in this version.`);
}
