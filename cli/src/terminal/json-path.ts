import { CrowdaiError } from "@crowdai/shared";

/** A step into a JSON value. */
export type Step = { kind: "key"; name: string } | { kind: "index"; at: number } | { kind: "each" };

const STEP = /\.?(?:\[(-?\d+)\]|\[\]|\["((?:[^"\\]|\\.)*)"\]|(?<=\.)([A-Za-z_][\w-]*))/y;

/**
 * Parses a path such as `.score`, `.submissions[0].id` or `.leaderboard.rows[].participant`: the part of jq
 * that needs no jq. Throws usage.
 */
export function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  if (path === ".") return steps;
  STEP.lastIndex = 0;
  for (let at = 0; at < path.length; at = STEP.lastIndex) {
    const found = path.startsWith(".") ? STEP.exec(path) : null;
    if (!found)
      throw new CrowdaiError("usage", `The --filter path "${path}" is invalid at "${path.slice(at)}".`, {
        next: "Write it as .score, .submissions[0].id or .leaderboard.rows[].participant.",
      });
    const [, index, quoted, name] = found;
    if (index !== undefined) steps.push({ kind: "index", at: Number(index) });
    else if (quoted !== undefined) steps.push({ kind: "key", name: JSON.parse(`"${quoted}"`) });
    else steps.push(name === undefined ? { kind: "each" } : { kind: "key", name });
  }
  return steps;
}

/** Returns the values at a path, one unless it has `[]`. What does not exist is null. */
export function valuesAt(value: unknown, steps: readonly Step[]): unknown[] {
  return steps.reduce<unknown[]>((found, step) => found.flatMap((one) => into(one, step)), [value]);
}

function into(value: unknown, step: Step): unknown[] {
  if (step.kind === "each") return typeof value === "object" && value !== null ? Object.values(value) : [];
  if (step.kind === "index") return [Array.isArray(value) ? (value.at(step.at) ?? null) : null];
  const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, step.name);
  return [isThere ? ((value as Record<string, unknown>)[step.name] ?? null) : null];
}
