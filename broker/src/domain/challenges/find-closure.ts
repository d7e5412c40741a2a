import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { ClosureTable } from "../../records/tables.ts";

/** Returns when and how far a challenge was closed; null while it is not closed. */
export async function findClosure(db: Db, challenge: string): Promise<ClosureTable | null> {
  return (await closureOf(db, { challenge })) ?? null;
}

const closureOf = lookup((db, { challenge }: { challenge: string }) =>
  db
    .selectFrom("closures")
    .select(["challenge", "closed_at", "version", "shown"])
    .where("challenge", "=", challenge),
);
