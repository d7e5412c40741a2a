import { rebuildStandings } from "../../src/domain/leaderboard/rebuild-standings.ts";
import { sortKeys } from "../../src/domain/leaderboard/standings.ts";
import type { TestBroker } from "../support/test-broker.ts";

export interface WrittenSubmission {
  id: string;
  participant: string;
  at: string;
  /** Null: failed. */
  score: number | null;
  [column: string]: unknown;
}

/**
 * Writes submissions that ended as records, and their boards: grading them would take longer than all that is
 * asked of their pages.
 */
export async function writeSubmissions(
  { records }: TestBroker,
  challenge: string,
  order: "ascending" | "descending",
  submissions: readonly WrittenSubmission[],
): Promise<void> {
  const people = await records.db.selectFrom("participants").select(["id", "name"]).execute();
  const ids = new Map(people.map(({ id, name }) => [name, id]));
  const score = { title: "Score", order, precision: 3 };
  await records.transaction(async (trx) => {
    for (const { participant, at, score: value, ...columns } of submissions)
      await trx
        .insertInto("submissions")
        .values({
          challenge,
          participant_id: ids.get(participant) as number,
          round: "1",
          function: "submit",
          state: value === null ? "failed" : "graded",
          dry_run: 0,
          post_challenge: 0,
          input_kind: "json",
          input_size: 1,
          input_sha256: "",
          created_at: at,
          attempt: 1,
          starts: 1,
          seq: 1,
          score: value,
          ...(value === null ? {} : sortKeys({ score, score_secondary: null }, value, null)),
          ...columns,
        })
        .execute();
    await rebuildStandings(trx, challenge);
  });
}
