import { iso } from "../../base/clock.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";

/** The largest id: 32 bits, signed. */
const MAX_NUMBER = 2 ** 31 - 1;

/** Reads an id as callers write it; null when it is not one. */
export function readNumber(text: string): number | null {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_NUMBER ? Number(text) : null;
}

/**
 * Gives every challenge and round of the catalog an integer id, in order of challenge names and of round
 * starts. An id never changes, even when the challenge is removed and added again.
 */
export async function assignNumbers({
  records: { db },
  catalog,
  clock,
}: Needs<"records" | "catalog" | "clock">): Promise<void> {
  const created_at = iso(clock());
  const challenges = [...catalog.all().values()].map(({ config }) => config);
  challenges.sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id: challenge, rounds } of challenges) {
    if ((await challengeNumber(db, challenge)) === null)
      await db
        .insertInto("challenge_numbers")
        .values({ challenge, created_at })
        .onConflict((conflict) => conflict.column("challenge").doNothing())
        .execute();
    const known = await roundNumbers(db, challenge);
    for (const { id: round } of rounds)
      if (!known.has(round))
        await db
          .insertInto("round_numbers")
          .values({ challenge, round, created_at })
          .onConflict((conflict) => conflict.columns(["challenge", "round"]).doNothing())
          .execute();
  }
}

export async function challengeNumber(db: Db, challenge: string): Promise<number | null> {
  const row = await db
    .selectFrom("challenge_numbers")
    .select("number")
    .where("challenge", "=", challenge)
    .executeTakeFirst();
  return row?.number ?? null;
}

/** Returns each round's number and when it got it, by the round's own id. */
export async function roundNumbers(
  db: Db,
  challenge: string,
): Promise<Map<string, { number: number; created_at: string }>> {
  const rows = await db
    .selectFrom("round_numbers")
    .select(["round", "number", "created_at"])
    .where("challenge", "=", challenge)
    .execute();
  return new Map(rows.map((row) => [row.round, row]));
}

export async function challengeOfNumber(db: Db, number: number): Promise<string | null> {
  const row = await db
    .selectFrom("challenge_numbers")
    .select("challenge")
    .where("number", "=", number)
    .executeTakeFirst();
  return row?.challenge ?? null;
}

/** Returns the id of a round of this challenge by its number. */
export async function roundOfNumber(db: Db, challenge: string, text: string): Promise<string | null> {
  const number = readNumber(text.trim());
  if (number === null) return null;
  const row = await db
    .selectFrom("round_numbers")
    .select("round")
    .where("number", "=", number)
    .where("challenge", "=", challenge)
    .executeTakeFirst();
  return row?.round ?? null;
}
