import type { AttachedGrader } from "@crowdai/shared/queue";
import { type Clock, iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";

const NAME = "attached_graders";
/** How often a broker writes graders that did not change. */
const REPORT_MS = 15_000;
/** A report that is older comes from brokers that have stopped. */
const FRESH_MS = 60_000;

export interface ReportedGraders {
  /** When a broker last wrote them; null when none did. */
  at: string | null;
  graders: readonly AttachedGrader[];
}

/** Returns a function that writes the attached graders to the records, for programs beside the broker. */
export function createGraderReporter(
  db: Db,
  graders: { all(): Promise<readonly AttachedGrader[]> },
  clock: Clock,
): () => Promise<void> {
  let last = { text: "", at: Number.NEGATIVE_INFINITY };
  return async () => {
    const now = clock().getTime();
    const text = JSON.stringify(await graders.all());
    if (text === last.text && now - last.at < REPORT_MS) return;
    const value = JSON.stringify({ at: iso(now), graders: JSON.parse(text) });
    await db
      .insertInto("settings")
      .values({ name: NAME, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
    last = { text, at: now };
  };
}

/** Returns the graders that a running broker last saw; none when no broker runs. */
export async function readReportedGraders(db: Db, now: Date): Promise<ReportedGraders> {
  const row = await db.selectFrom("settings").select("value").where("name", "=", NAME).executeTakeFirst();
  if (!row) return { at: null, graders: [] };
  const reported = JSON.parse(row.value) as ReportedGraders;
  const isFresh = now.getTime() - Date.parse(reported.at as string) < FRESH_MS;
  return { at: reported.at, graders: isFresh ? reported.graders : [] };
}
