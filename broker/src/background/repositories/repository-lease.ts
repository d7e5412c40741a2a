import { CrowdaiError } from "@crowdai/shared";
import type { Updateable } from "kysely";
import { iso } from "../../base/clock.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { CodeRepositoryRow, CodeRepositoryTable } from "../../records/tables.ts";

/** A repository on which one broker works. */
export interface RepositoryLease {
  /** Aborted before another broker can take the repository, or when one has taken it: the work must end. */
  readonly lost: AbortSignal;
  /**
   * Ends the lease with what is written to the row. Resolves to false, and writes nothing, if another broker
   * has the repository.
   */
  end(change: Updateable<CodeRepositoryTable> & { next_at: string }): Promise<boolean>;
}

/**
 * Takes a due repository for this broker, and renews that while it works. A broker that dies loses it after
 * `leaseMs`. Resolves to null when another broker was faster.
 */
export async function takeRepository(
  { records, clock }: Needs<"records" | "clock">,
  row: CodeRepositoryRow,
  leaseMs: number,
): Promise<RepositoryLease | null> {
  let heldUntil = row.next_at;

  async function change(set: Parameters<RepositoryLease["end"]>[0]): Promise<boolean> {
    const { numUpdatedRows } = await records.db
      .updateTable("code_repositories")
      .set(set)
      .where("challenge", "=", row.challenge)
      .where("participant_id", "=", row.participant_id)
      .where("next_at", "=", heldUntil)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) return false;
    heldUntil = set.next_at;
    return true;
  }
  const hold = () => change({ next_at: iso(clock().getTime() + leaseMs) });

  const taken = performance.now();
  if (!(await hold())) return null;
  const lost = new AbortController();
  const lose = () => lost.abort(new CrowdaiError("interrupted", "Another broker may have the repository."));
  // Early enough to kill what runs.
  const expireAfter = (since: number) => setTimeout(lose, since + (leaseMs * 5) / 6 - performance.now());
  let expiry = expireAfter(taken);

  async function renew(): Promise<void> {
    const began = performance.now();
    // The records may be reachable again before the lease expires.
    const held = await hold().catch(() => null);
    if (held === false) lose();
    if (!held || lost.signal.aborted) return;
    clearTimeout(expiry);
    expiry = expireAfter(began);
  }
  let renewing = Promise.resolve();
  const renewals = setInterval(() => {
    renewing = renewing.then(renew);
  }, leaseMs / 3);

  return {
    lost: lost.signal,
    async end(set) {
      clearInterval(renewals);
      await renewing;
      clearTimeout(expiry);
      return change(set);
    },
  };
}
