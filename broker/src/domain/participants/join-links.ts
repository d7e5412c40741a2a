import { createHash, randomBytes } from "node:crypto";
import { CrowdaiError } from "@crowdai/shared";
import type { Transaction } from "kysely";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import type { Tables } from "../../records/tables.ts";
import { addKey, insertIfFree, requireName } from "./api-keys.ts";

const CODE = /^[A-Za-z0-9_-]{32}$/;

/** A link as its organizer sees it; the code itself is not stored. */
export interface ListedLink {
  id: number;
  challenges: string[];
  /** Null for any number. */
  uses: number | null;
  used: number;
  state: "active" | "expired" | "used up" | "revoked";
  created_at: string;
  expires_at: string;
}

/** Makes a link that invites to challenges. Returns its code, which is not stored. */
export async function createJoinLink(
  { db }: Pick<Records, "db">,
  link: { challenges: string[]; uses: number | null; now: Date; lifetimeMs: number },
): Promise<{ id: number; code: string; expires_at: string }> {
  const code = randomBytes(24).toString("base64url");
  const expires_at = iso(link.now.getTime() + link.lifetimeMs);
  const { id } = await db
    .insertInto("join_links")
    .values({
      ...{ code_hash: hash(code), challenges: JSON.stringify(link.challenges), uses: link.uses },
      ...{ created_at: iso(link.now.getTime()), expires_at, revoked_at: null },
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return { id, code, expires_at };
}

export async function listJoinLinks(db: Db, now: Date): Promise<ListedLink[]> {
  const rows = await db.selectFrom("join_links").selectAll().orderBy("id").execute();
  return rows.map(({ id, challenges, uses, used, created_at, expires_at, revoked_at }) => ({
    ...{ id, challenges: JSON.parse(challenges), uses, used },
    state: stateOf({ uses, used, expires_at, revoked_at }, now),
    ...{ created_at, expires_at },
  }));
}

/** Revokes a link, effective at once. Throws usage for an unknown one. */
export async function revokeJoinLink({ db }: Pick<Records, "db">, id: number, now: string): Promise<void> {
  const found = await db
    .updateTable("join_links")
    .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(now)) }))
    .where("id", "=", id)
    .returning("id")
    .executeTakeFirst();
  if (!found)
    throw new CrowdaiError("usage", `There is no join link ${id}.`, {
      next: "Run `crowdai-broker participant links` to see their numbers.",
    });
}

/**
 * Returns the challenges of a link that can be used. Throws join_link_unknown, and join_link_ended with the
 * reason.
 */
export async function readJoinLink(db: Db, code: string, now: Date): Promise<{ challenges: string[] }> {
  const link = await findLink(db, code);
  requireActive(link, now);
  return { challenges: JSON.parse(link.challenges) };
}

export interface Joined {
  participant: { id: number; name: string };
  /** Of a new participant; not stored. */
  key: string | null;
  challenges: string[];
}

/**
 * Uses a link: makes a participant with this name and a key, or invites one who has a key. Someone who is
 * invited to all of its challenges already does not use it up. Throws join_link_unknown, join_link_ended, and
 * name_taken, which uses nothing.
 */
export async function join(
  records: Pick<Records, "transaction">,
  code: string,
  who: { name: string } | { participant: { id: number; name: string } },
  now: Date,
): Promise<Joined> {
  return commit(records, "join-links", async (trx) => {
    const link = await findLink(trx, code);
    const challenges: string[] = JSON.parse(link.challenges);
    const known = "participant" in who ? who.participant : null;
    if (known && (await isInvitedToAll(trx, known.id, challenges))) {
      requireActive(link, now, { mayBeUsedUp: true });
      return { participant: { id: known.id, name: known.name }, key: null, challenges };
    }
    await useOnce(trx, link, code, now);
    const at = iso(now.getTime());
    const participant = known
      ? { id: known.id, name: known.name }
      : await newParticipant(trx, (who as { name: string }).name, at);
    const key = known ? null : await addKey(trx, "participant", participant.id, at);
    await trx
      .insertInto("invitations")
      .values(challenges.map((challenge) => ({ challenge, participant_id: participant.id, created_at: at })))
      .onConflict((conflict) => conflict.columns(["challenge", "participant_id"]).doNothing())
      .execute();
    return { participant, key, challenges };
  });
}

async function newParticipant(trx: Db, name: string, at: string): Promise<{ id: number; name: string }> {
  requireName(name);
  const made = await insertIfFree(trx, name, at);
  if (!made) throw new CrowdaiError("name_taken", `The name "${name}" is taken.`);
  return made;
}

interface Link {
  id: number;
  challenges: string;
  uses: number | null;
  used: number;
  expires_at: string;
  revoked_at: string | null;
}

/** The lookup is by digest, so its duration reveals nothing about stored codes. */
async function findLink(db: Db, code: string): Promise<Link> {
  const link = CODE.test(code)
    ? await db.selectFrom("join_links").selectAll().where("code_hash", "=", hash(code)).executeTakeFirst()
    : undefined;
  if (!link) throw new CrowdaiError("join_link_unknown");
  return link;
}

/** Counts a use, unless the last one was taken at the same time. */
async function useOnce(trx: Transaction<Tables>, { id }: Link, code: string, now: Date): Promise<void> {
  const counted = await trx
    .updateTable("join_links")
    .set((eb) => ({ used: eb("used", "+", 1) }))
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", iso(now.getTime()))
    .where((eb) => eb.or([eb("uses", "is", null), eb("used", "<", eb.ref("uses"))]))
    .returning("id")
    .executeTakeFirst();
  if (!counted) requireActive(await findLink(trx, code), now);
}

function stateOf(
  { uses, used, expires_at, revoked_at }: Omit<Link, "id" | "challenges">,
  now: Date,
): ListedLink["state"] {
  if (revoked_at !== null) return "revoked";
  if (expires_at <= iso(now.getTime())) return "expired";
  return uses !== null && used >= uses ? "used up" : "active";
}

function requireActive(link: Link, now: Date, { mayBeUsedUp = false } = {}): void {
  const state = stateOf(link, now);
  if (state === "active" || (state === "used up" && mayBeUsedUp)) return;
  const reason = {
    revoked: "This join link was revoked.",
    expired: `This join link expired on ${link.expires_at}.`,
    "used up": `This join link was used as often as it allows: ${link.used} of ${link.uses}.`,
  }[state];
  throw new CrowdaiError("join_link_ended", reason, { details: { state } });
}

async function isInvitedToAll(db: Db, participantId: number, challenges: string[]): Promise<boolean> {
  const invited = await db
    .selectFrom("invitations")
    .select("challenge")
    .where("participant_id", "=", participantId)
    .where("challenge", "in", challenges)
    .execute();
  return invited.length === challenges.length;
}

const hash = (code: string) => createHash("sha256").update(code).digest("hex");
