import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readSettingsFile } from "./settings-file.ts";

export const PROJECT_FILE = "crowdai.json";

const text = (what: string) => z.string({ error: what }).min(1, what);
const pattern = "a pattern, as in .gitignore";
const patterns = z.array(text(pattern).regex(/^\P{Cc}+$/u, pattern), {
  error: "a list of patterns, as in .gitignore",
});

const count = (what: string) => z.int({ error: what }).min(1, what).optional();

const codeFields = z.looseObject({
  submit: z
    .boolean({ error: "true or false" })
    .optional()
    .describe("Whether the code is included in each submission, like --code and --no-code."),
  dir: text("a folder")
    .optional()
    .describe("Folder of the code, relative to this file. Default: the folder of this file."),
  command: z
    .array(text("a word"), { error: 'a list of words, such as ["python3", "main.py"]' })
    .min(1, "at least one word")
    .optional()
    .describe("Command that runs the code, for challenges that leave it to their participants."),
  include: patterns.optional().describe("Patterns of files to include although .gitignore excludes them."),
  exclude: patterns.optional().describe("Patterns of files to exclude, also if they are tracked."),
  max_bytes: count("a number of bytes").describe("Maximum size of the code in bytes."),
  max_files: count("a number of files").describe("Maximum number of files."),
});
const CODE_FIELDS = Object.keys(codeFields.shape);

const codeSchema = z.union([z.boolean(), codeFields], {
  error:
    "true, false, or an object with the fields submit (true or false), dir (a folder), command (a list of words), include and exclude (lists of patterns, as in .gitignore), max_bytes and max_files",
});

/**
 * The schema of crowdai.json. Unknown fields are kept: a newer client or another tool may have added them.
 */
export const projectConfigSchema = z.looseObject(
  {
    $schema: z.string({ error: "the URL of a schema" }).optional(),
    challenge_id: text("the id of a challenge").optional().describe("The challenge this folder is for."),
    authors: z
      .array(text("a name"), { error: "a list of names" })
      .optional()
      .describe("Authors of the solution."),
    description: z.string({ error: "a text" }).optional().describe("A description of the solution."),
    broker: text("an http:// or https:// address").optional().describe("Address of the broker."),
    code: codeSchema.optional().describe("Whether the code is included in each submission, and which files."),
  },
  { error: 'an object with fields, such as { "challenge_id": "iris" }' },
);
export type ProjectConfig = z.infer<typeof projectConfigSchema>;

/** Reads the nearest crowdai.json, in `folder` or above it; null if there is none. Throws config_invalid. */
export function readProjectConfig(
  folder: string,
): { path: string; config: ProjectConfig; warnings: string[] } | null {
  for (let here = resolve(folder); ; here = dirname(here)) {
    const path = join(here, PROJECT_FILE);
    const found = readSettingsFile(path, projectConfigSchema);
    if (found) return { path, ...found, warnings: [...found.warnings, ...unknownOfCode(path, found.config)] };
    if (here === dirname(here)) return null;
  }
}

/** Returns warnings about unknown fields of `code`: a misspelled "exclude" would include files. */
function unknownOfCode(path: string, { code }: ProjectConfig): string[] {
  if (typeof code !== "object") return [];
  return Object.keys(code)
    .filter((field) => !CODE_FIELDS.includes(field))
    .map((field) => `${path}: unknown field "code.${field}" (ignored)`);
}
