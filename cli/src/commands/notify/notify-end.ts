import { CrowdaiError } from "@crowdai/shared";
import type { Io } from "../../terminal/io.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { Facts } from "../submission/facts.ts";
import { rankText, scoreRows } from "../submission/score-rows.ts";
import { type Notification, showNotification } from "./show-notification.ts";

/** Runs a command that waits for a grade, and shows a notification when it ends. In CI, it shows none. */
export async function notifyEnd(
  { io, terminal, facts }: { io: Io; terminal: Pick<Terminal, "isCi">; facts: Facts },
  work: () => Promise<number>,
): Promise<number> {
  const show = async (notification: Notification | null) => {
    if (notification && !terminal.isCi)
      await showNotification(io, notification, io.stderr.isTTY === true && io.env.TERM !== "dumb");
  };
  try {
    const code = await work();
    await show(gradeOf(facts));
    return code;
  } catch (error) {
    if (!io.signal.aborted) await show(failureOf(facts, error));
    throw error;
  }
}

function gradeOf({ submission, challenge, ranked }: Facts): Notification | null {
  if (!submission) return null;
  const rows = [...scoreRows(submission, challenge), ["Rank", rankText(submission, ranked)] as const];
  const body = rows.flatMap(([label, value]) => (value ? `${label}: ${value}` : [])).join(", ");
  return { title: `${submission.challenge} graded`, body: body || submission.id };
}

function failureOf(facts: Facts, error: unknown): Notification {
  const code = error instanceof CrowdaiError ? error.code : null;
  if (code === "below_minimum") return gradeOf(facts) ?? { title: "crowdai", body: "graded" };
  const title = code === "still_pending" ? "crowdai: not graded yet" : "crowdai: submission failed";
  return { title, body: error instanceof Error ? error.message : "unexpected error" };
}
