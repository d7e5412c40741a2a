import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Records } from "../../records/records.ts";
import { profilesOf, showsProfiles } from "../profiles/profiles.ts";
import { mediaUrls } from "./media-keys.ts";

/**
 * Returns the leaderboard page with the media and published code of each row's submission, and what its
 * participant shows. Only for viewers who may see the leaderboard.
 */
export async function withLinks(
  { records, baseUrl }: { records: Pick<Records, "db">; baseUrl: () => string },
  board: Leaderboard,
  config: Pick<ChallengeConfig, "visibility">,
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
  const people = board.rows.filter(({ baseline }) => !baseline).map(({ submission }) => submission);
  const profiles = showsProfiles(config) ? await profilesOf(records.db, people, baseUrl()) : new Map();
  return {
    ...board,
    rows: board.rows.map((row) => ({
      ...row,
      ...links.get(row.submission),
      profile: profiles.get(row.submission) ?? null,
    })),
  };
}
