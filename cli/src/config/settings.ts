import { CrowdaiError } from "@crowdai/shared";
import { configFolder } from "./config-folder.ts";
import { isUndecoded } from "./find-project.ts";
import { PROJECT_FILE, type ProjectConfig, readProjectConfig } from "./project-config.ts";
import { addressesIn, isTrustedBroker } from "./trusted-broker.ts";
import { readUserConfig } from "./user-config.ts";

export const DEFAULT_BROKER = "http://localhost:8420";

/** The source of a setting: a flag, the name of a variable, the path of a file, or "default". */
export type Source = string;

/** The settings in use. */
export interface Settings {
  /** Address of the broker, without a trailing slash. */
  broker: string;
  /**
   * Whether the user chose the broker, or trusts the one that a project file names. No other broker gets an
   * API key that is not stored for it.
   */
  brokerTrusted: boolean;
  /** The challenge in use, or null. */
  challenge: string | null;
  /** Folder of the user's settings, and of the keys if there is no keychain. */
  configDir: string;
  /** True if CROWDAI_CONFIG_DIR chose that folder; its keys are then separate from the user's own. */
  configDirChosen: boolean;
  sources: { broker: Source; challenge: Source | null; configDir: Source };
  /** The nearest crowdai.json, or null. */
  project: { path: string; config: ProjectConfig } | null;
  /** Problems that are not errors, such as unknown fields of crowdai.json; for stderr. */
  warnings: string[];
}

export interface SettingsOptions {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  flags?: { broker?: string; challenge?: string };
}

const undecodedFolder = (cwd: string): string[] =>
  isUndecoded(cwd) ? [`The path ${cwd} is not UTF-8, so no ${PROJECT_FILE} is read in it.`] : [];

/**
 * Returns the settings in use. The first source with a value wins: flag, environment, nearest crowdai.json,
 * user config, default. Throws config_invalid with all errors of a settings file.
 */
export function resolveSettings({ env, cwd, flags = {} }: SettingsOptions): Settings {
  const folder = configFolder(env);
  const project = readProjectConfig(cwd);
  const user = readUserConfig(folder.path);

  const projects: [Source, string | undefined] = [project?.path ?? "", project?.config.broker];
  const users: [Source, string | undefined][] = [
    [user.path, user.config.broker],
    ["default", DEFAULT_BROKER],
  ];
  const broker = first([
    ["--broker", flags.broker],
    ["CROWDAI_BROKER", env.CROWDAI_BROKER],
    projects,
    ...users,
  ])!;
  const address = brokerAddress(broker.value, broker.source);
  const trusted = [
    first(users)!.value,
    ...(user.config.trusted_brokers ?? []),
    ...addressesIn(env.CROWDAI_API_KEY_FOR),
  ];
  const challenge = first([
    ["--challenge", flags.challenge],
    ["CROWDAI_CHALLENGE", env.CROWDAI_CHALLENGE],
    [project?.path ?? "", project?.config.challenge_id],
    [user.path, user.config.challenge],
  ]);
  return {
    broker: address,
    brokerTrusted: broker.source !== projects[0] || isTrustedBroker(address, trusted),
    challenge: challenge?.value ?? null,
    configDir: folder.path,
    configDirChosen: folder.source === "CROWDAI_CONFIG_DIR",
    sources: { broker: broker.source, challenge: challenge?.source ?? null, configDir: folder.source },
    project: project && { path: project.path, config: project.config },
    warnings: [...undecodedFolder(cwd), ...(project?.warnings ?? []), ...user.warnings],
  };
}

/** Returns the named challenge, else the one in the settings. Throws challenge_missing. */
export function chosenChallenge(settings: Pick<Settings, "challenge">, named?: string | null): string {
  const challenge = named || settings.challenge;
  if (!challenge) throw new CrowdaiError("challenge_missing");
  return challenge;
}

/**
 * Returns a broker's address in the canonical form under which keys are stored. Throws usage or
 * config_invalid.
 */
export function brokerAddress(address: string, source: Source): string {
  const refuse = (reason: string) =>
    new CrowdaiError(
      source.startsWith("--") ? "usage" : "config_invalid",
      `The broker's address (${source}) ${reason}.`,
      { next: "Write it as http://host:port or https://host.", details: { field: "broker", source } },
    );
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) throw refuse("is not an http:// or https:// URL");
  if (url.username || url.password) throw refuse("contains a user name or password, which it must not");
  if (url.search || url.hash) throw refuse("contains a ? or #, which it must not");
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** Returns the first value. An empty value counts as none, so that an empty variable is ignored. */
function first(candidates: [Source, string | undefined][]): { source: Source; value: string } | null {
  for (const [source, value] of candidates) if (value) return { source, value };
  return null;
}
