import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

type Columns = Pick<ChallengeConfig, "columns">;

/** Returns the columns of a challenge's boards, with their titles. */
export const boardColumns = ({ columns }: Columns): Leaderboard["columns"] =>
  columns.map(({ key, title, order, precision }) => ({ key, title: title ?? key, order, precision }));

/**
 * Returns the numbers that a result's `data`, as stored, has for the columns of a challenge, by their keys;
 * null where it has none.
 */
export function columnValues(
  { columns }: Columns,
  data: string | null | undefined,
): Record<string, number | null> {
  if (columns.length === 0) return {};
  // Numbers beyond a double's precision are rounded: a column shows some decimals.
  const entries: unknown = data == null ? null : JSON.parse(data);
  return Object.fromEntries(columns.map(({ key }) => [key, numberAt(entries, key)]));
}

function numberAt(entries: unknown, key: string): number | null {
  if (typeof entries !== "object" || entries === null || !Object.hasOwn(entries, key)) return null;
  const value = (entries as Record<string, unknown>)[key];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
