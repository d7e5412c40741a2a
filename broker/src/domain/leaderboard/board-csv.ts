import { setImmediate } from "node:timers/promises";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { csvLine } from "../../base/csv.ts";
import { type Db, readTogether } from "../../records/records.ts";
import { boardTableColumns, boardTableRows } from "./board-table.ts";
import { type BoardQuery, readLeaderboard } from "./leaderboard.ts";

export type WholeBoard = Omit<BoardQuery, "limit" | "offset" | "find">;

const PAGE = 500;

/**
 * Returns a whole board as a CSV file with a header, as of one moment. It is read in pages, between which
 * other requests are served, so that only its text is in memory.
 */
export function readBoardCsv(db: Db, config: ChallengeConfig, query: WholeBoard): Promise<string> {
  const names = Object.keys(boardTableColumns(config));
  return readTogether(db, async (trx) => {
    let text = csvLine(names);
    for (let offset = 0; ; offset += PAGE) {
      const board = await readLeaderboard(trx, config, { ...query, limit: PAGE, offset });
      for (const row of boardTableRows(board)) text += csvLine(names.map((name) => row[name] ?? null));
      if (offset + PAGE >= board.total) return text;
      await setImmediate();
    }
  });
}
