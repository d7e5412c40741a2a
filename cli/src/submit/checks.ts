import { CrowdaiError, checkValue, type PublicChallenge, type Round } from "@crowdai/shared";

/** What is handed in, as far as the rules look at it. `value` is there for a JSON value. */
export interface InputDescription {
  kind: "file" | "json";
  name: string | null;
  size: number;
  value?: unknown;
}

/** A check that was passed, in words. */
export type PassedCheck = string;

/**
 * Checks an input against what the challenge says of itself, before a byte of it leaves. Throws kind_not_accepted,
 * file_extension, file_too_large, value_too_large or value_schema.
 */
export function checkInput(challenge: PublicChallenge, offered: InputDescription): PassedCheck[] {
  return offered.kind === "file" ? checkFile(challenge, offered) : checkJson(challenge, offered);
}

function checkFile({ id, accepts }: PublicChallenge, { name, size }: InputDescription): PassedCheck[] {
  const rule = accepts.file;
  if (!rule)
    throw new CrowdaiError("kind_not_accepted", `${id} takes JSON values, no files.`, {
      next: "Use --json, or see what it accepts with `crowdai challenge`.",
    });
  const accepted = rule.extensions.join(", ");
  if (!hasExtension(name, rule.extensions))
    throw new CrowdaiError(
      "file_extension",
      `${name ?? "The input"} has none of the extensions ${id} takes: ${accepted}.`,
      {
        details: { name, extensions: rule.extensions },
      },
    );
  if (size > rule.max_bytes)
    throw new CrowdaiError(
      "file_too_large",
      `${name ?? "The input"} has ${size} bytes; ${id} takes at most ${rule.max_bytes}.`,
      {
        details: { size, max_bytes: rule.max_bytes },
      },
    );
  return [
    accepted ? `the extension is one of ${accepted}` : "any extension is taken",
    `${size} bytes of at most ${rule.max_bytes}`,
  ];
}

function checkJson({ id, accepts }: PublicChallenge, { size, value }: InputDescription): PassedCheck[] {
  const rule = accepts.json;
  if (!rule)
    throw new CrowdaiError("kind_not_accepted", `${id} takes files, no JSON values.`, {
      next: "Write it into a file, or see what it accepts with `crowdai challenge`.",
    });
  if (size > rule.max_bytes)
    throw new CrowdaiError(
      "value_too_large",
      `The value has ${size} bytes of JSON; ${id} takes at most ${rule.max_bytes}.`,
      {
        details: { size, max_bytes: rule.max_bytes },
      },
    );
  checkValue(value, rule.schema);
  return ["the value is JSON and fits the challenge's schema", `${size} bytes of at most ${rule.max_bytes}`];
}

/** Whether a file of this name is taken; an empty list takes any. */
export function hasExtension(name: string | null, extensions: readonly string[]): boolean {
  if (extensions.length === 0) return true;
  const lower = (name ?? "").toLowerCase();
  return extensions.some((extension) => lower.endsWith(extension.toLowerCase()));
}

/**
 * The round a submission would go to, by id or number, or the open one; null when only the last one, which has ended, is left
 * and the challenge takes late submissions. Throws round_unknown and round_not_open, with the dates.
 */
export function checkRound(challenge: PublicChallenge, wanted: string | undefined): Round | null {
  const { id, rounds } = challenge;
  const late = challenge.after_end === "accept";
  if (wanted === undefined) {
    const open = rounds.find((round) => round.id === challenge.round);
    if (open) return open;
    if (late && rounds.some((round) => round.state === "ended")) return null;
    const next = rounds.find((round) => round.state === "upcoming");
    const last = rounds.findLast((round) => round.state === "ended");
    const then = next
      ? `; "${next.id}" opens at ${next.starts_at}`
      : last
        ? `; "${last.id}" ended at ${last.ends_at}`
        : "";
    throw new CrowdaiError("round_not_open", `No round of ${id} is open${then}.`);
  }
  const round = rounds.find((r) => r.id === wanted) ?? rounds.find((r) => String(r.number) === wanted);
  if (!round) {
    const known = rounds.map((r) => `"${r.id}"`).join(", ");
    throw new CrowdaiError("round_unknown", `${id} has no round "${wanted}"; it has ${known}.`);
  }
  if (round.state === "open" || (round.state === "ended" && late)) return round;
  const when = round.state === "ended" ? `ended at ${round.ends_at}` : `opens at ${round.starts_at}`;
  throw new CrowdaiError("round_not_open", `Round "${round.id}" of ${id} ${when}.`, {
    details: { starts_at: round.starts_at, ends_at: round.ends_at },
  });
}

/** Throws function_unknown, naming those there are. */
export function checkFunction(challenge: PublicChallenge, name: string): void {
  if (challenge.functions.includes(name)) return;
  const known = challenge.functions
    .filter((f) => f !== "submit")
    .map((f) => `"${f}"`)
    .join(", ");
  throw new CrowdaiError(
    "function_unknown",
    `The evaluator of ${challenge.id} has no function "${name}"${known ? `; it has ${known}` : " to call"}.`,
  );
}
