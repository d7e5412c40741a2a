import { markedStep } from "@crowdai/shared/marked-steps";
import type { Transaction } from "kysely";
import type { Records } from "./records.ts";
import type { Tables } from "./tables.ts";

/** Runs a transaction. Its name lets tests end the broker right before and right after it is on the disk. */
export function commit<T>(
  records: Pick<Records, "transaction">,
  name: string,
  work: (trx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return markedStep(`commit.${name}`, () => records.transaction(work));
}
