import type { Reading } from "./draft.ts";

/**
 * Reports fields of a bundle that have no place in a challenge folder, with the reason of each, and unknown
 * ones.
 */
export function leaveOutFields(
  { leaveOut }: Pick<Reading, "leaveOut">,
  fields: Readonly<Record<string, unknown>>,
  {
    known,
    reasons,
    where = "",
  }: { known: readonly string[]; reasons: Readonly<Record<string, string>>; where?: string },
): void {
  for (const [name, value] of Object.entries(fields)) {
    if (known.includes(name) || !isSet(value)) continue;
    leaveOut(
      `${where}${name.slice(0, 100)}`,
      Object.hasOwn(reasons, name) ? reasons[name]! : "unknown field",
    );
  }
}

/** Whether a field says anything: false, nothing and empty lists are what is so anyway. */
const isSet = (value: unknown): boolean =>
  value != null &&
  value !== false &&
  value !== "" &&
  value !== "False" &&
  !(Array.isArray(value) && value.length === 0);
