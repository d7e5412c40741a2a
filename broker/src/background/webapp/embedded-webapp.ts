import { iso } from "../../base/clock.ts";
import { identify, identifyHash } from "../../domain/participants/api-keys.ts";
import type { Webapp } from "../../domain/webapp/webapp.ts";
import type { Db } from "../../records/records.ts";

/**
 * How far the check for revoked keys looks back: a key's revocation carries the time at which the command
 * started, by the clock of its machine, and becomes visible only when it is committed.
 */
const LOOK_BACK_MS = 10 * 60_000;

/** The broker's own records: its participants and its rules, with nothing to deliver elsewhere. */
export function embeddedWebapp(db: Db): Webapp {
  return {
    name: "this broker's own records",
    identify: (key) => identify(db, key),
    remember: ({ keyHash }) => keyHash,
    recall: (kept) => identifyHash(db, kept),
    async ended() {
      const revoked = await db
        .selectFrom("api_keys")
        .select("hash")
        .where("revoked_at", ">=", iso(Date.now() - LOOK_BACK_MS))
        .execute();
      return new Set(revoked.map(({ hash }) => hash));
    },
    async open() {},
    async deliver() {},
    async close() {},
  };
}
