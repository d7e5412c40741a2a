import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { CrowdaiError } from "@crowdai/shared";
import type { z } from "zod";

/**
 * Reads and checks a settings file; null if it does not exist. Unknown fields are kept and returned as
 * warnings. Throws config_invalid with all errors at once, each with its field and the expected value.
 */
export function readSettingsFile<Schema extends z.ZodObject>(
  path: string,
  schema: Schema,
): { config: z.infer<Schema>; warnings: string[] } | null {
  const text = readText(path);
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw invalid(path, [{ field: "", expected: `JSON (${(cause as Error).message})` }], cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw invalid(
      path,
      parsed.error.issues
        .flatMap(likelyErrors)
        .map((issue) => ({ field: fieldName(issue.path), expected: issue.message })),
      parsed.error,
    );
  const unknown = Object.keys(parsed.data).filter((field) => !(field in schema.shape));
  return {
    config: parsed.data as z.infer<Schema>,
    warnings: unknown.map((field) => `${path}: unknown field "${field}" (ignored)`),
  };
}

function readText(path: string): string | null {
  try {
    const bytes = readFileSync(path);
    // A name in another encoding would match no file.
    if (!isUtf8(bytes)) throw invalid(path, [{ field: "", expected: "JSON in UTF-8" }], undefined);
    return bytes.toString("utf8");
  } catch (cause) {
    if (cause instanceof CrowdaiError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new CrowdaiError("config_invalid", `${path} cannot be read (${code}).`, {
      next: "Check its permissions.",
      details: { file: path },
      cause,
    });
  }
}

function invalid(path: string, errors: { field: string; expected: string }[], cause: unknown): CrowdaiError {
  const lines = errors.map(({ field, expected }) => `  ${field ? `${field}: ` : ""}expected ${expected}`);
  return new CrowdaiError("config_invalid", `${path} is invalid:\n${lines.join("\n")}`, {
    details: { file: path, mistakes: errors },
    cause,
  });
}

/** Returns the errors within the variant of a union that the value resembles, else the error itself. */
function likelyErrors(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  const inside =
    issue.code === "invalid_union"
      ? issue.errors.find((errors) => errors.some(({ path }) => path.length > 0))
      : undefined;
  return inside?.map(({ path, message }) => ({ path: [...issue.path, ...path], message })) ?? [issue];
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, part) =>
      typeof part === "number" ? `${name}[${part}]` : name ? `${name}.${String(part)}` : String(part),
    "",
  );
}
