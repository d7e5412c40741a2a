import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { parseDocument } from "yaml";
import { z } from "zod";
import { type Bundle, bundleInvalid, readText } from "./open-bundle.ts";

/** More aliases than people write; each may stand for a large part of the file. */
const MAX_ALIASES = 100;

/** Reads the configuration of a bundle: YAML 1.1, as both platforms read it. */
export async function readYaml({ dir, file }: Bundle): Promise<Record<string, unknown>> {
  const refuse = (reason: string) => bundleInvalid([`${file}: ${reason}`]);
  try {
    const text = await readText(join(dir, file), { lenient: false });
    const document = parseDocument(text, {
      ...{ version: "1.1", uniqueKeys: false, logLevel: "silent" },
      // Times stay texts: a date such as February 30 would become another one.
      customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !tag.tag.endsWith(":timestamp")),
    });
    const [error] = document.errors;
    if (error) throw refuse(error.message.split("\n")[0]!.replace(/:$/, ""));
    const content: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    if (typeof content !== "object" || content === null || Array.isArray(content))
      throw refuse("it is not a list of names and values");
    return content as Record<string, unknown>;
  } catch (error) {
    if (error instanceof CrowdaiError && error.code !== "usage") throw error;
    throw refuse((error as Error).message);
  }
}

const TIME =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/;

/** Month first, as both platforms read it, unless there is no such month. */
const MONTH_FIRST = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})(?!\d)/;

function yearFirst(text: string): string {
  return text.replace(MONTH_FIRST, (_, first, second, year) =>
    Number(first) > 12 ? `${year}-${second}-${first}` : `${year}-${first}-${second}`,
  );
}

/** Returns a time as ISO 8601; null when it is not one. Times without a zone are UTC. */
export function isoTime(value: unknown): string | null {
  const match = typeof value === "string" ? TIME.exec(yearFirst(value.trim())) : null;
  if (!match) return null;
  const [year, month, day, hour = "00", minute = "00", second = "00"] = match.slice(1, 7);
  const two = (digits: string) => digits.padStart(2, "0");
  const zone = /^[+-]/.test(match[7] ?? "")
    ? match[7]!.replace(/^(...):?(..)?$/, (_, h, m) => `${h}:${m ?? "00"}`)
    : "Z";
  const time = new Date(`${year}-${two(month!)}-${two(day!)}T${two(hour)}:${minute}:${two(second)}${zone}`);
  const isReal = Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number.isNaN(time.getTime()) || !isReal ? null : time.toISOString();
}

/** A time, or null. */
export const timeField = z
  .unknown()
  .transform((value, context) => {
    if (value == null || value === "" || value === "null") return null;
    const time = isoTime(value);
    if (time === null)
      context.addIssue({ code: "custom", message: "expected a time such as 2026-11-30 12:00:00" });
    return time;
  })
  .default(null);

/** A text. YAML takes some for numbers or truth values. */
export const textField = z
  .union([z.string(), z.number(), z.boolean()], { error: "expected text" })
  .transform((value) => String(value).trim());

/** A whole number above 0, also in quotes; null when it is missing. */
export const countField = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number), z.null()], {
    error: "expected a whole number",
  })
  .refine((value) => value === null || Number.isInteger(value), "expected a whole number")
  .transform((value) => (value === null || value < 1 ? null : value))
  .default(null);

/** A truth value, also in quotes; null when it is missing. */
export const switchField = z
  .union(
    [
      z.boolean(),
      z.literal([0, 1]).transform(Boolean),
      z
        .string()
        .regex(/^(?:true|false|yes|no)$/i)
        .transform((text) => /^(?:true|yes)$/i.test(text)),
      z.null(),
    ],
    { error: "expected True or False" },
  )
  .default(null);

/** Returns the issues of a schema as lines with their fields. */
export function issueLines(issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.map(({ path, message, code }) => {
    const field = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
    const words = code === "invalid_type" ? message.replace(/^Invalid input: /, "") : message;
    return `${field.replace(/^\./, "") || "the file"}: ${words}`;
  });
}
