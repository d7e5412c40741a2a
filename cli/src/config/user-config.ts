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
  const { path, config } = readUserConfig(configDir);
  const { [name]: _, ...others } = config;
  const changed = value === null ? others : { ...others, [name]: value };
  await writePrivateFile(path, `${JSON.stringify(changed, null, 2)}\n`);
  return path;
}
