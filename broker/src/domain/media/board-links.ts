import type { Leaderboard } from "@crowdai/shared";
import type { Records } from "../../records/records.ts";
import { mediaUrls } from "./media-keys.ts";

/**
 * Returns the leaderboard page with the media and published code of each row's submission. Only for viewers
 * who may see the leaderboard.
 */
export async function withLinks(
  { records, baseUrl }: { records: Pick<Records, "db">; baseUrl: () => string },
  board: Leaderboard,
): Promise<Leaderboard> {
  if (board.rows.length === 0) return board;
  const found = await records.db
    .selectFrom("submissions")
    .select(["id", "published_at", "media_large", "media_thumbnail", "media_content_type", "media_preview"])
    .where(
      "id",
      "in",
      board.rows.map(({ submission }) => submission),
    )
    .where((eb) => eb.or([eb("media_large", "is not", null), eb("published_at", "is not", null)]))
    .execute();
  const links = new Map(
    found.map((row) => [
      row.id,
      {
        media: mediaUrls(row, baseUrl()),
        code: row.published_at === null ? null : `${baseUrl()}/submissions/${row.id}#code`,
      },
    ]),
  );
  return { ...board, rows: board.rows.map((row) => ({ ...row, ...links.get(row.submission) })) };
}
