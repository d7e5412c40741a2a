import { CrowdaiError } from "@crowdai/shared";
import { brokerAddress, type Settings } from "../config/settings.ts";
import { USER_SETTINGS, type UserSetting, writeUserSetting } from "../config/user-config.ts";
import type { Connection } from "../connection/connection.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";

interface Args {
  action?: "list" | "get" | "set" | "unset";
  name?: string;
  value?: string;
}

/** Prints the settings with their sources, or changes those of the user. */
export async function config({ connection, terminal }: CommandContext, args: Args): Promise<number> {
  const { action = "list", name, value } = args;
  if (action === "list") {
    if (name !== undefined)
      throw new CrowdaiError("usage", `\`crowdai config list\` takes no argument, but got "${name}".`);
    return print(terminal, await allSettings(connection));
  }
  if (action === "get") {
    if (value !== undefined)
      throw new CrowdaiError("usage", "`crowdai config get` takes only the name of a setting.");
    const all = await allSettings(connection);
    const found = all.filter((setting) => setting.name === name);
    if (found.length > 0) return print(terminal, found);
    throw unknownSetting(
      name,
      all.map((one) => one.name),
    );
  }
  const setting = USER_SETTINGS.find((known) => known === name);
  if (!setting) throw unknownSetting(name, USER_SETTINGS);
  const changed = { name: setting, value: action === "unset" ? null : newValue(setting, value) };
  return await change(connection.settings, terminal, changed);
}

interface Setting {
  name: string;
  value: string | null;
  source: string | null;
}

async function allSettings({ settings, keys }: Connection): Promise<Setting[]> {
  const { sources } = settings;
  const key = await keys
    .find()
    .catch((failure: unknown) =>
      failure instanceof CrowdaiError && failure.code === "key_unbound"
        ? { source: "CROWDAI_API_KEY (not for this broker)" }
        : null,
    );
  return [
    { name: "broker", value: settings.broker, source: sources.broker },
    { name: "challenge", value: settings.challenge, source: sources.challenge },
    { name: "key", value: key ? "present" : null, source: key?.source ?? null },
    { name: "config_dir", value: settings.configDir, source: sources.configDir },
    {
      name: "project",
      value: settings.project?.path ?? null,
      source: settings.project ? "nearest crowdai.json" : null,
    },
  ];
}

function print(terminal: Terminal, settings: readonly Setting[]): number {
  const byName = Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }]));
  terminal.present({
    json: { settings: byName },
    ndjson: settings.map((setting) => ({ type: "setting", ...setting })),
    quiet: settings.map(({ value }) => value ?? ""),
    text: () =>
      terminal.table(
        ["Setting", "Value", "Source"],
        settings.map(({ name, value, source }) => [name, value, source]),
      ),
  });
  return 0;
}

async function change(
  settings: Settings,
  terminal: Terminal,
  { name, value }: { name: UserSetting; value: string | null },
): Promise<number> {
  const path = await writeUserSetting(settings.configDir, name, value);
  terminal.present({
    json: { name, value, path },
    ndjson: [{ type: "setting", name, value, path }],
    quiet: [],
    text: () => terminal.answer(value === null ? `Unset ${name}.` : `Set ${name} to ${value}.`),
  });
  terminal.note(`Saved in ${path}.`);
  const source = settings.sources[name];
  // Another source may set the very same value.
  if (settings[name] === value) return 0;
  if (value !== null && source !== null && source !== "default" && source !== path)
    terminal.warn(`${source} sets another ${name} and takes precedence.`);
  return 0;
}

function newValue(name: UserSetting, value: string | undefined): string {
  if (!value)
    throw new CrowdaiError("usage", `Missing value for ${name}.`, {
      next: `Run \`crowdai config set ${name} <value>\`.`,
    });
  return name === "broker" ? brokerAddress(value, "--broker") : value;
}

function unknownSetting(name: string | undefined, known: readonly string[]): CrowdaiError {
  const message = name === undefined ? "Missing name of a setting." : `Unknown setting "${name}".`;
  return new CrowdaiError("usage", message, { next: `Settings: ${known.join(", ")}.` });
}
