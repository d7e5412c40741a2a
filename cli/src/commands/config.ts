import { CrowdaiError } from "@crowdai/shared";
import { brokerAddress } from "../config/settings.ts";
import { USER_SETTINGS, type UserSetting, writeUserSetting } from "../config/user-config.ts";
import type { Context } from "../context.ts";

interface Args {
  action?: "list" | "get" | "set" | "unset";
  name?: string;
  value?: string;
}

/** Prints the settings with their sources, or changes the user's own. */
export async function config(context: Context, args: Args): Promise<number> {
  const { action = "list", name, value } = args;
  if (action === "list") {
    if (name !== undefined)
      throw new CrowdaiError("usage", `\`config list\` takes no argument, but got ${name}.`);
    return print(context, await allSettings(context));
  }
  if (action === "get") {
    if (value !== undefined) throw new CrowdaiError("usage", "`config get` takes a name and no value.");
    const found = (await allSettings(context)).filter((setting) => setting.name === name);
    if (found.length === 0)
      throw unknownSetting(
        name,
        (await allSettings(context)).map((s) => s.name),
      );
    return print(context, found);
  }
  const setting = USER_SETTINGS.find((known) => known === name);
  if (!setting) throw unknownSetting(name, USER_SETTINGS);
  return await change(context, setting, action === "unset" ? null : newValue(setting, value));
}

interface Setting {
  name: string;
  value: string | null;
  source: string | null;
}

async function allSettings({ settings, keys }: Context): Promise<Setting[]> {
  const { sources } = settings;
  const key = await keys.find().catch(() => null);
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

function print({ terminal }: Context, settings: Setting[]): number {
  const byName = Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }]));
  terminal.present({
    json: { settings: byName },
    ndjson: settings.map((setting) => ({ type: "setting", ...setting })),
    quiet: settings.map(({ value }) => value ?? ""),
    text: () =>
      terminal.table(
        ["setting", "value", "source"],
        settings.map(({ name, value, source }) => [name, value, source]),
      ),
  });
  return 0;
}

async function change(context: Context, name: UserSetting, value: string | null): Promise<number> {
  const { terminal, settings } = context;
  const path = await writeUserSetting(settings.configDir, name, value);
  terminal.present({
    json: { name, value, path },
    ndjson: [{ type: "setting", name, value, path }],
    quiet: [],
    text: () => terminal.answer(value === null ? `${name} is unset.` : `${name} is ${value}.`),
  });
  terminal.note(`in ${path}`);
  const source = settings.sources[name];
  if (value !== null && source !== null && source !== "default" && source !== path)
    terminal.warn(`${source} names another ${name}, and wins.`);
  return 0;
}

function newValue(name: UserSetting, value: string | undefined): string {
  if (!value)
    throw new CrowdaiError("usage", `No value for ${name}.`, { next: `See \`crowdai config --help\`.` });
  return name === "broker" ? brokerAddress(value, "--broker") : value;
}

function unknownSetting(name: string | undefined, known: readonly string[]): CrowdaiError {
  const message = name === undefined ? "No setting was named." : `There is no setting "${name}".`;
  return new CrowdaiError("usage", message, { next: `The settings are ${known.join(", ")}.` });
}
