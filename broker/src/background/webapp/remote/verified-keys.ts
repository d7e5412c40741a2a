import { CrowdaiError, hashApiKey, mayBeApiKey } from "@crowdai/shared";
import { iso } from "../../../base/clock.ts";
import type { Caller } from "../../../domain/participants/api-keys.ts";
import type { Records } from "../../../records/records.ts";
import type { CircuitBreaker } from "../../outbox/circuit-breaker.ts";
import { localParticipant } from "./remote-participants.ts";
import { type WebappClient, WebappUnreachable } from "./webapp-client.ts";

const MAX_REMEMBERED = 10_000;
const ASKED_AT_ONCE = 8;

export interface KeyTimes {
  /** How long an answer of the webapp counts without asking again. */
  freshMs: number;
  /** How long a verified key keeps working while the webapp is unreachable. */
  staleMs: number;
  /** How long a key that the webapp does not know is not sent again. */
  unknownMs: number;
}

export interface VerifiedKeys {
  identify(key: string | undefined): Promise<Caller>;
  ended(inUse: () => ReadonlyMap<string, string>): Promise<ReadonlySet<string>>;
  /** Returns the key of a caller who was identified here recently. */
  keyOf(caller: Caller): string | null;
}

interface Verified {
  key: string;
  caller: Caller;
  at: number;
}

/**
 * Participants' keys, verified by the webapp. An answer counts for `freshMs`, and for `staleMs` while the
 * webapp is unreachable. A key that the webapp never confirmed, or no longer knows, is rejected.
 */
export function verifiedKeys(options: {
  records: () => Records;
  calls: Pick<WebappClient, "verify">;
  breaker: CircuitBreaker;
  times: KeyTimes;
}): VerifiedKeys {
  const { records, calls, breaker, times } = options;
  const remembered = new Map<string, Verified>();
  const unknown = new Map<string, number>();
  const asking = new Map<string, Promise<Caller>>();

  async function identify(key: string | undefined): Promise<Caller> {
    if (!key) throw new CrowdaiError("no_key");
    if (!mayBeApiKey(key)) throw new CrowdaiError("key_malformed");
    const hash = hashApiKey(key);
    const held = remembered.get(hash) ?? (await recorded(key, hash));
    if (held && Date.now() - held.at < times.freshMs) return held.caller;
    if (Date.now() < (unknown.get(hash) ?? 0)) throw new CrowdaiError("key_unknown");
    try {
      return await askedOnce(key, hash);
    } catch (error) {
      if (!(error instanceof WebappUnreachable)) throw error;
      if (held && Date.now() - held.at < times.staleMs) return held.caller;
      throw new CrowdaiError(
        "webapp_away",
        `The key cannot be checked now, because the webapp is unreachable: ${error.message}.`,
      );
    }
  }

  /** Verified by another broker, or before a restart. */
  async function recorded(key: string, hash: string): Promise<Verified | null> {
    const row = await records()
      .db.selectFrom("webapp_keys")
      .innerJoin("participants", "participants.id", "webapp_keys.participant_id")
      .select(["participants.id", "participants.name", "verified_at"])
      .where("hash", "=", hash)
      .executeTakeFirst();
    if (!row) return null;
    return remember(hash, key, row, Date.parse(row.verified_at));
  }

  function askedOnce(key: string, hash: string): Promise<Caller> {
    const running = asking.get(hash) ?? ask(key, hash).finally(() => asking.delete(hash));
    asking.set(hash, running);
    return running;
  }

  async function ask(key: string, hash: string): Promise<Caller> {
    const asked = Date.now();
    const webappId = await breaker.call(() => calls.verify(key));
    if (webappId === null) {
      dropOldest(unknown).set(hash, Date.now() + times.unknownMs);
      remembered.delete(hash);
      await records().db.deleteFrom("webapp_keys").where("hash", "=", hash).execute();
      throw new CrowdaiError("key_unknown");
    }
    const verified_at = iso(asked);
    const participant = await localParticipant(records(), webappId, verified_at);
    await records()
      .db.insertInto("webapp_keys")
      .values({ hash, participant_id: participant.id, verified_at })
      .onConflict((conflict) =>
        conflict.column("hash").doUpdateSet({ participant_id: participant.id, verified_at }),
      )
      .execute();
    return remember(hash, key, participant, asked).caller;
  }

  function remember(
    hash: string,
    key: string,
    { id, name }: { id: number; name: string },
    at: number,
  ): Verified {
    const verified: Verified = { key, caller: { kind: "participant", id, name, keyHash: hash }, at };
    dropOldest(remembered).set(hash, verified);
    return verified;
  }

  return {
    identify,
    async ended(inUse) {
      const ended = new Set<string>();
      const old = [...inUse()].filter(
        ([hash]) => Date.now() - (remembered.get(hash)?.at ?? 0) >= times.freshMs,
      );
      const next = old[Symbol.iterator]();
      const askOn = async () => {
        for (const [hash, key] of next)
          try {
            await identify(key);
          } catch (error) {
            if (error instanceof CrowdaiError && error.code === "key_unknown") ended.add(hash);
          }
      };
      await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askOn));
      return ended;
    },
    keyOf: ({ keyHash }) => remembered.get(keyHash)?.key ?? null,
  };
}

/** Drops the oldest entries of a map that has grown large. */
function dropOldest<T>(map: Map<string, T>): Map<string, T> {
  for (const name of map.keys()) {
    if (map.size < MAX_REMEMBERED) break;
    map.delete(name);
  }
  return map;
}
