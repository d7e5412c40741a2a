import { CrowdaiError } from "@crowdai/shared";
import { type Clock, iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import type { AgreementRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import { MIT_DIGEST, MIT_TEXT } from "./mit-license.ts";

/** How an agreement was given, besides by whom and when. */
export interface GivenAgreement {
  /** Digest of the text that was shown. */
  digest: string;
  where: AgreementRow["given_at"];
  ip: string;
  userAgent: string | undefined;
}

const MAX_USER_AGENT_LENGTH = 500;

/** The person who agrees: a participant or, in a team, each member. */
export type Person = Pick<Caller, "id" | "member">;

const agreementsOf = (db: Db, { id, member }: Person) =>
  db
    .selectFrom("agreements")
    .selectAll()
    .where("participant_id", "=", id)
    .where("member", member === undefined ? "is" : "=", member ?? null);

/** Returns the person's agreement to the current text; null when there is none. */
export async function findAgreement(db: Db, person: Person): Promise<AgreementRow | null> {
  const row = await agreementsOf(db, person).where("text_sha256", "=", MIT_DIGEST).executeTakeFirst();
  return row ?? null;
}

export const hasAgreed = async (db: Db, person: Person): Promise<boolean> =>
  (await findAgreement(db, person)) !== null;

/** Returns all of the person's agreements, including those to earlier texts, oldest first. */
export const listAgreements = (db: Db, person: Person): Promise<AgreementRow[]> =>
  agreementsOf(db, person).orderBy("id").execute();

/**
 * Records the person's agreement to the text that they saw. Repeating it returns the first agreement.
 * Throws agreement_outdated when another text is current.
 */
export async function agree(
  { records, clock }: { records: Pick<Records, "transaction" | "lock">; clock: Clock },
  person: Person,
  { digest, where, ip, userAgent = "" }: GivenAgreement,
): Promise<AgreementRow> {
  if (digest !== MIT_DIGEST) throw new CrowdaiError("agreement_outdated");
  return commit(records, "agreements", async (trx) => {
    await records.lock(trx, `agreement:${person.id}`);
    const given = await findAgreement(trx, person);
    if (given) return given;
    const at = iso(clock());
    await trx
      .insertInto("licence_texts")
      .values({ sha256: MIT_DIGEST, licence: "mit", text: MIT_TEXT, kept_at: at })
      .onConflict((conflict) => conflict.column("sha256").doNothing())
      .execute();
    return trx
      .insertInto("agreements")
      .values({
        participant_id: person.id,
        member: person.member ?? null,
        licence: "mit",
        text_sha256: MIT_DIGEST,
        agreed_at: at,
        ip,
        user_agent: userAgent.slice(0, MAX_USER_AGENT_LENGTH),
        given_at: where,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/** Returns the URL of the page on which a person agrees. */
export const agreementUrl = (baseUrl: string): string => `${baseUrl}/agreement/mit`;

/**
 * Throws agreement_missing, with the page and the command by which a person can agree; `author` is the member
 * of the same team whose code it is.
 */
export async function requireAgreement(
  db: Db,
  { baseUrl }: { baseUrl: () => string },
  person: Person,
  author: string | null = person.member ?? null,
): Promise<void> {
  if (!(await hasAgreed(db, person))) {
    const url = agreementUrl(baseUrl());
    throw new CrowdaiError("agreement_missing", undefined, {
      next: `The license must be accepted by a person: run \`crowdai agree\` in a terminal, or open ${url}. Then run this again.`,
      details: { action_required: "agree", url, command: "crowdai agree" },
    });
  }
  if (author === null || author === person.member || (await hasAgreed(db, { id: person.id, member: author })))
    return;
  throw new CrowdaiError(
    "agreement_missing",
    `${author}, whose code this is, has not agreed to the license.`,
    {
      next: `Ask ${author} to run \`crowdai agree\`. Then run this again.`,
      details: { member: author },
    },
  );
}
