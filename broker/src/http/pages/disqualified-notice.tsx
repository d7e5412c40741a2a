import type { Caller } from "../../domain/participants/api-keys.ts";
import { type Disqualification, findDisqualifications } from "../../domain/participants/disqualifications.ts";
import type { Db } from "../../records/records.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

/** Reads the disqualifications that a reader's own pages show: in one challenge, or in any. */
export async function ownDisqualifications(
  db: Db,
  caller: Pick<Caller, "kind" | "id"> | null,
  challenge: string | null,
): Promise<Disqualification[]> {
  if (caller?.kind !== "participant") return [];
  const all = await findDisqualifications(db, caller.id);
  return all.filter((each) => challenge === null || each.challenge === null || each.challenge === challenge);
}

/** Says that submissions do not count, and why. */
export function DisqualifiedNotice({
  found,
}: {
  found: readonly (Pick<Disqualification, "reason" | "at"> & { challenge?: string | null })[];
}) {
  return (
    <>
      {found.map(({ challenge, reason, at }) => (
        <p class="disqualified" role="status">
          Disqualified{challenge ? ` in ${challenge}` : ""} since <Time at={at} />:{" "}
          <UntrustedText text={reason} most={1000} />
        </p>
      ))}
    </>
  );
}
