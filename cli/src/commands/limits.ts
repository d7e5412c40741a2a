import { type Limits, limitsSchema } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import { wrapWords } from "../terminal/cut-to-width.ts";
import { type LabeledRow, labeledLines } from "../terminal/labels.ts";
import { plainValue } from "../terminal/plain-text.ts";
import { gradersText } from "../terminal/queue-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

/** Shows how many submissions are left and when the next slot is free. */
export async function limits(
  { connection, terminal }: CommandContext,
  args: { id?: string },
  options: { round?: string },
): Promise<number> {
  const id = chosenChallenge(connection.settings, args.id);
  await connection.key();
  const path = `/api/v1/challenges/${encodeURIComponent(id)}/limits`;
  const found = await (await connection.http()).get(path, limitsSchema, { round: options.round });
  terminal.present({
    json: { limits: found },
    ndjson: [{ type: "limits", limits: found }],
    quiet: [String(found.remaining ?? "unlimited")],
    text: () => terminal.answer(describe(plainValue(found), terminal).join("\n")),
  });
  return 0;
}

const reasonText = ({ waiting }: Limits): string => (waiting ? `: ${waiting}` : "");

function notOpen({ challenge, opens_at, closed_at }: Limits): string {
  if (closed_at !== null) return `${challenge} was closed on ${timeText(closed_at)}.`;
  const next = opens_at === null ? "" : ` The next one opens on ${timeText(opens_at)}.`;
  return `No round of ${challenge} is open.${next}`;
}

const WINDOWS = { day: "the last 24 hours", week: "the last 7 days" };

/** Says which submissions the window of a limit counts. */
function countedText({ limit, used_in_other_rounds: others }: Limits): string | null {
  if (!limit || limit.per === "round") return null;
  const where = limit.scope === "round" ? "to this round" : "to all rounds of the challenge";
  return `submissions in ${WINDOWS[limit.per]} ${where}${others > 0 ? ` (${others} to other rounds)` : ""}`;
}

function describe(found: Limits, { style, width }: Pick<Terminal, "style" | "width">): string[] {
  if (found.round === null) return [notOpen(found)];
  const rows: LabeledRow[] = [];
  if (found.limit) {
    const { count, per } = found.limit;
    rows.push(["Submissions", `${found.remaining} of ${count} left per ${per} (${found.used} used)`]);
    rows.push(["Counted", countedText(found)]);
    if (found.next_at) rows.push(["Next slot", timeText(found.next_at)]);
  } else rows.push(["Submissions", `no limit (${found.used} so far)`]);
  const { running, uploading, parallel_limit: atOnce } = found;
  const states = uploading > 0 ? `: ${uploading} being uploaded, ${running - uploading} being graded` : "";
  if (atOnce !== null) rows.push(["Unfinished", `${running} of at most ${atOnce} in parallel${states}`]);
  else if (running > 0) rows.push(["Unfinished", `${running}${states}`]);
  if (found.graders !== null)
    rows.push(["Graders", `${gradersText(found.graders)} connected${reasonText(found)}`]);
  if (found.ends_at) rows.push(["Round ends", timeText(found.ends_at)]);
  const title = `Limits of ${found.challenge}, round ${found.round}`;
  const head = width === null ? [title] : wrapWords(title, width);
  return [...head, ...labeledLines(rows, style, width)];
}
