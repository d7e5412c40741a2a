import { type Limits, limitsSchema } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import type { Context } from "../context.ts";
import { plainValue } from "../terminal/plain-text.ts";
import { gradersText } from "../terminal/queue-text.ts";
import { timeText } from "../terminal/time.ts";

export async function limits(
  context: Context,
  args: { id?: string },
  options: { round?: string },
): Promise<number> {
  const { terminal } = context;
  const id = chosenChallenge(context.settings, args.id);
  await context.key();
  const path = `/api/v1/challenges/${encodeURIComponent(id)}/limits`;
  const found = await (await context.http()).get(path, limitsSchema, { round: options.round });
  terminal.present({
    json: { limits: found },
    ndjson: [{ type: "limits", limits: found }],
    quiet: [String(found.remaining ?? "unlimited")],
    text: () => terminal.answer(describe(plainValue(found)).join("\n")),
  });
  return 0;
}

const reasonText = ({ waiting }: Limits): string => (waiting ? `: ${waiting}` : "");

function describe(found: Limits): string[] {
  if (found.round === null) return [`${found.challenge}: no round is open.`];
  const lines = [`${found.challenge}, round ${found.round}:`];
  if (found.limit) {
    const { count, per } = found.limit;
    lines.push(`  ${found.remaining} of ${count} submissions left (${count} a ${per}, ${found.used} used)`);
    if (found.next_at) lines.push(`  next slot: ${timeText(found.next_at)}`);
  } else lines.push(`  submissions without limit (${found.used} so far)`);
  if (found.parallel_limit !== null)
    lines.push(`  ${found.running} of ${found.parallel_limit} waiting for a grade at once`);
  else if (found.running > 0) lines.push(`  ${found.running} waiting for a grade`);
  if (found.graders !== null) lines.push(`  ${gradersText(found.graders)} attached${reasonText(found)}`);
  if (found.ends_at) lines.push(`  the round ends ${timeText(found.ends_at)}`);
  return lines;
}
