import { identify, identifyHash } from "../../domain/participants/api-keys.ts";
import type { Webapp } from "../../domain/webapp/webapp.ts";
import type { Db } from "../../records/records.ts";

/** The broker's own records: its participants and its rules, with nothing to deliver elsewhere. */
export function embeddedWebapp(db: Db): Webapp {
  let checkedUntil = new Date().toISOString();
  return {
    name: "this broker's own records",
    identify: (key) => identify(db, key),
    remember: ({ keyHash }) => keyHash,
    recall: (kept) => identifyHash(db, kept),
    async ended() {
      const now = new Date().toISOString();
      const revoked = await db
        .selectFrom("api_keys")
        .select("hash")
        .where("revoked_at", ">=", checkedUntil)
        .execute();
      checkedUntil = now;
      return new Set(revoked.map(({ hash }) => hash));
    },
    async open() {},
    async deliver() {},
    async close() {},
  };
}
