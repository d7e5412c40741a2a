import { sql } from "kysely";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { maxSelected, startFinalBoard } from "./final-board.ts";
import { type FinalSources, isFinalShown } from "./final-shown.ts";

type Round = { challenge: string; round: string };

/**
 * Announces the boards of rounds whose final scores are shown from now on, or no longer because the round was
 * extended, and follows changes of the number of selected submissions. What is shown depends on the time
 * alone.
 */
export async function revealFinals({ records, catalog, clock }: FinalSources): Promise<void> {
  const rounds = await records.db
    .selectFrom("board_rounds")
    .select(["challenge", "round", "finals", "final_shown"])
    .where("finals", ">", 0)
    .execute();
  for (const { finals, final_shown, ...round } of rounds) {
    const config = catalog.all().get(round.challenge)?.config;
    if (!config) continue;
    if (maxSelected(config) !== finals) await follow(records, round, maxSelected(config));
    const shown = (await isFinalShown(records.db, config, round.round, clock())) ? 1 : 0;
    if (shown !== final_shown) await announce(records.db, round, shown);
  }
}

function follow(records: Records, round: Round, finals: number): Promise<void> {
  return commit(records, "reveal-finals", async (trx) => {
    await trx
      .updateTable("board_rounds")
      .set({ version: sql<number>`version + final_shown` })
      .where("challenge", "=", round.challenge)
      .where("round", "=", round.round)
      .execute();
    await startFinalBoard(trx, round, finals);
  });
}

async function announce(db: Db, { challenge, round }: Round, shown: number): Promise<void> {
  await db
    .updateTable("board_rounds")
    .set({ final_shown: shown, version: sql<number>`version + 1` })
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    // Only one of several brokers does it.
    .where("final_shown", "!=", shown)
    .execute();
}
