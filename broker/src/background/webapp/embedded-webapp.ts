import { CrowdaiError, hashApiKey } from "@crowdai/shared";
import { type Clock, iso } from "../../base/clock.ts";
import { endedCiSessions, identifyCiSession } from "../../domain/ci/ci-sessions.ts";
import { type Caller, identify, identifyHash } from "../../domain/participants/api-keys.ts";
import { createUseRecorder } from "../../domain/participants/list-keys.ts";
import type { Webapp } from "../../domain/webapp/webapp.ts";
import type { Db } from "../../records/records.ts";

/**
 * How far the check for revoked keys looks back: a key's revocation carries the time at which the command
 * started, by the clock of its machine, and becomes visible only when it is committed.
 */
const LOOK_BACK_MS = 10 * 60_000;

/** The broker's own records: its participants and its rules, with nothing to deliver elsewhere. */
export function embeddedWebapp(db: Db, clock: Clock = () => new Date()): Webapp {
  /** The sessions of CI jobs have keys too. */
  const orSession = (found: Promise<Caller>, hash: () => string): Promise<Caller> =>
    found.catch((error) => {
      if (!(error instanceof CrowdaiError) || error.code !== "key_unknown") throw error;
      return identifyCiSession(db, hash(), clock());
    });
  const recordUse = createUseRecorder(db, clock);
  /** A key works whether or not its use can be recorded. */
  const used = async (caller: Caller): Promise<Caller> => {
    if (!caller.session) await recordUse(caller.keyHash).catch(() => {});
    return caller;
  };
  return {
    name: "this broker's own records",
    issuesKeys: true,
    identify: async (key) => used(await orSession(identify(db, key), () => hashApiKey(key ?? ""))),
    remember: ({ keyHash }) => keyHash,
    recall: (kept) => orSession(identifyHash(db, kept), () => kept),
    async ended() {
      const now = clock();
      const since = new Date(now.getTime() - LOOK_BACK_MS);
      const revoked = await db
        .selectFrom("api_keys")
        .select("hash")
        .where("revoked_at", ">=", iso(since))
        .execute();
      const sessions = await endedCiSessions(db, since, now);
      return new Set([...revoked.map(({ hash }) => hash), ...sessions]);
    },
    async open() {},
    async deliver() {},
    async close() {},
  };
}
