import type { Leaderboard } from "@crowdai/shared";
import type { SubmissionContext } from "../submissions/context.ts";
import { mediaUrls } from "./media-keys.ts";

/** The same page of a leaderboard, each row with the media of its submission. For those who may see the leaderboard. */
export async function withMedia(
  { records, baseUrl }: Pick<SubmissionContext, "records" | "baseUrl">,
  board: Leaderboard,
): Promise<Leaderboard> {
  if (board.rows.length === 0) return board;
  const found = await records.db
    .selectFrom("submissions")
    .select(["id", "media_large", "media_thumbnail", "media_content_type", "media_preview"])
    .where(
      "id",
      "in",
      board.rows.map(({ submission }) => submission),
    )
    .where("media_large", "is not", null)
    .execute();
  const media = new Map(found.map((row) => [row.id, mediaUrls(row, baseUrl())]));
  return {
    ...board,
    rows: board.rows.map((row) => ({ ...row, media: media.get(row.submission) ?? null })),
  };
}
