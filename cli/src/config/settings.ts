import { CrowdaiError } from "@crowdai/shared";
import { configFolder } from "./config-folder.ts";
import { type ProjectConfig, readProjectConfig } from "./project-config.ts";
import { readUserConfig } from "./user-config.ts";

export const DEFAULT_BROKER = "http://localhost:8420";

/** Where a setting's value came from: a flag, a variable's name, a file's path, or "default". */
export type Source = string;

export interface Settings {
  /** Address of the broker, without a slash at its end. */
  broker: string;
  /** The challenge in use, null when nothing names one. */
  challenge: string | null;
  /** Folder of the user's settings and, where there is no keychain, of the keys. */
  configDir: string;
  /** Whether that folder was chosen by CROWDAI_CONFIG_DIR; its keys then stay apart from the user's own. */
  configDirChosen: boolean;
  sources: { broker: Source; challenge: Source | null; configDir: Source };
  /** The nearest crowdai.json, null when there is none. */
  project: { path: string; config: ProjectConfig } | null;
  /** What is odd but no mistake, as an unknown field of crowdai.json; for stderr. */
  warnings: string[];
}

export interface SettingsOptions {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  flags?: { broker?: string; challenge?: string };
}

/**
 * The settings in force: flag, environment, nearest crowdai.json, user config, default; the first that names a value
 * wins. Reads files, but nothing of the process. Throws config_invalid for a settings file with mistakes, naming all.
 */
export function resolveSettings({ env, cwd, flags = {} }: SettingsOptions): Settings {
  const folder = configFolder(env);
  const project = readProjectConfig(cwd);
  const user = readUserConfig(folder.path);

  const broker = first([
    ["--broker", flags.broker],
    ["CROWDAI_BROKER", env.CROWDAI_BROKER],
    [project?.path ?? "", project?.config.broker],
    [user.path, user.config.broker],
    ["default", DEFAULT_BROKER],
  ])!;
  const challenge = first([
    ["--challenge", flags.challenge],
    ["CROWDAI_CHALLENGE", env.CROWDAI_CHALLENGE],
    [project?.path ?? "", project?.config.challenge_id],
    [user.path, user.config.challenge],
  ]);
  return {
    broker: brokerAddress(broker.value, broker.source),
    challenge: challenge?.value ?? null,
    configDir: folder.path,
    configDirChosen: folder.source === "CROWDAI_CONFIG_DIR",
    sources: { broker: broker.source, challenge: challenge?.source ?? null, configDir: folder.source },
    project: project && { path: project.path, config: project.config },
    warnings: [...(project?.warnings ?? []), ...user.warnings],
  };
}

/** The challenge that was named, or the one in the settings. Throws challenge_missing. */
export function chosenChallenge(settings: Pick<Settings, "challenge">, named?: string | null): string {
  const challenge = named || settings.challenge;
  if (!challenge) throw new CrowdaiError("challenge_missing");
  return challenge;
}

/** A broker's address in the one form that keys are kept under. Throws usage or config_invalid, naming the source. */
export function brokerAddress(address: string, source: Source): string {
  const refuse = (reason: string) =>
    new CrowdaiError(
      source.startsWith("--") ? "usage" : "config_invalid",
      `The broker's address (${source}) ${reason}.`,
      { next: "Write it as http://host:port or https://host.", details: { field: "broker", source } },
    );
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) throw refuse("is no http:// or https:// address");
  if (url.username || url.password) throw refuse("holds a user name or password, which do not belong there");
  if (url.search || url.hash) throw refuse("holds a ? or #, which do not belong there");
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** An empty value counts as none, so that a variable can be switched off by setting it to nothing. */
function first(candidates: [Source, string | undefined][]): { source: Source; value: string } | null {
  for (const [source, value] of candidates) if (value) return { source, value };
  return null;
}
