import { join } from "node:path";
import { z } from "zod";
import { writePrivateFile } from "./private-file.ts";
import { readSettingsFile } from "./settings-file.ts";

/** The schema of config.json in the user's crowdAI folder. */
export const userConfigSchema = z.looseObject(
  {
    broker: z
      .string({ error: "an http:// or https:// address" })
      .min(1, "an http:// or https:// address")
      .optional(),
    challenge: z.string({ error: "the id of a challenge" }).min(1, "the id of a challenge").optional(),
    /** Brokers of project files that a person confirmed: they may get the key from the environment. */
    trusted_brokers: z
      .array(z.string({ error: "an http:// or https:// address" }), { error: "a list of addresses" })
      .optional(),
  },
  { error: "an object with fields" },
);
export type UserConfig = z.infer<typeof userConfigSchema>;
export const USER_SETTINGS = ["broker", "challenge"] as const;
export type UserSetting = (typeof USER_SETTINGS)[number];

/** Reads the user's settings; without a file they are empty. Throws config_invalid. */
export function readUserConfig(configDir: string): { path: string; config: UserConfig; warnings: string[] } {
  const path = join(configDir, "config.json");
  return { path, ...(readSettingsFile(path, userConfigSchema) ?? { config: {}, warnings: [] }) };
}

/** Changes one setting, or removes it with null. Returns the path of the file. */
export async function writeUserSetting(
  configDir: string,
  name: UserSetting,
  value: string | null,
): Promise<string> {
  const { [name]: _, ...others } = readUserConfig(configDir).config;
  return writeUserConfig(configDir, value === null ? others : { ...others, [name]: value });
}

/** Adds the origin of a broker to those that the user trusts, or removes it. */
export async function setTrust(configDir: string, broker: string, trusted: boolean): Promise<void> {
  const { origin } = new URL(broker);
  const { trusted_brokers: before = [], ...others } = readUserConfig(configDir).config;
  if (before.includes(origin) === trusted) return;
  const after = trusted ? [...before, origin] : before.filter((one) => one !== origin);
  await writeUserConfig(configDir, after.length > 0 ? { ...others, trusted_brokers: after } : others);
}

async function writeUserConfig(configDir: string, config: UserConfig): Promise<string> {
  const path = join(configDir, "config.json");
  await writePrivateFile(path, `${JSON.stringify(config, null, 2)}\n`);
  return path;
}
