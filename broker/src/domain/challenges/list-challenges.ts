import type { Db } from "../../records/records.ts";

export interface ListedChallenge {
  id: string;
  version: string;
  added_at: string;
  size: number;
  current: boolean;
}

/** Returns every version of every challenge that was added as a bundle, in the order of addition. */
export async function listRecordedChallenges(db: Db): Promise<ListedChallenge[]> {
  const rows = await db
    .selectFrom("challenges")
    .select(["id", "version", "added_at", "bundle_size as size", "current"])
    .orderBy("id")
    .orderBy("added_at")
    .orderBy("version")
    .execute();
  return rows.map((row) => ({ ...row, size: Number(row.size), current: row.current === 1 }));
}
