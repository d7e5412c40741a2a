import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { boardTableColumns, boardTableRows } from "../../domain/leaderboard/board-table.ts";
import { readLeaderboard } from "../../domain/leaderboard/leaderboard.ts";
import type { Records } from "../../records/records.ts";
import { PAGE } from "./read-pages.ts";
import type { Table, TableRow } from "./table.ts";

/** Lists the current boards of all rounds, as participants see them. */
export function boardTable(db: Records["db"], config: ChallengeConfig, now: Date): Table {
  return { name: "board", columns: boardTableColumns(config), pages: readRows(db, config, now) };
}

async function* readRows(db: Records["db"], config: ChallengeConfig, now: Date): AsyncGenerator<TableRow[]> {
  for (const { id: round } of config.rounds)
    for (let offset = 0; ; offset += PAGE) {
      const query = { round, board: "current", limit: PAGE, offset, viewer: null, now } as const;
      const board = await readLeaderboard(db, config, query);
      if (board.rows.length > 0) yield boardTableRows(board);
      if (offset + PAGE >= board.total) break;
    }
}
