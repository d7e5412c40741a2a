import { CrowdaiError } from "@crowdai/shared";
import { type Clock, iso } from "../../base/clock.ts";
import type { Db, Records } from "../../records/records.ts";
import type { AgreementRow } from "../../records/tables.ts";
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

/** Returns the participant's agreement to the current text; null when there is none. */
export async function findAgreement(db: Db, participantId: number): Promise<AgreementRow | null> {
  const row = await db
    .selectFrom("agreements")
    .selectAll()
    .where("participant_id", "=", participantId)
    .where("text_sha256", "=", MIT_DIGEST)
    .executeTakeFirst();
  return row ?? null;
}

export const hasAgreed = async (db: Db, participantId: number): Promise<boolean> =>
  (await findAgreement(db, participantId)) !== null;

/** Returns all of the participant's agreements, including those to earlier texts, oldest first. */
export function listAgreements(db: Db, participantId: number): Promise<AgreementRow[]> {
  return db
    .selectFrom("agreements")
    .selectAll()
    .where("participant_id", "=", participantId)
    .orderBy("id")
    .execute();
}

/**
 * Records the participant's agreement to the text that they saw. Repeating it returns the first agreement.
 * Throws agreement_outdated when another text is current.
 */
export async function agree(
  { records, clock }: { records: Pick<Records, "transaction" | "lock">; clock: Clock },
  participantId: number,
  { digest, where, ip, userAgent = "" }: GivenAgreement,
): Promise<AgreementRow> {
  if (digest !== MIT_DIGEST) throw new CrowdaiError("agreement_outdated");
  return records.transaction(async (trx) => {
    await records.lock(trx, `agreement:${participantId}`);
    const given = await findAgreement(trx, participantId);
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
        participant_id: participantId,
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

/** Throws agreement_missing, with the page and the command by which a person can agree. */
export async function requireAgreement(
  db: Db,
  { baseUrl }: { baseUrl: () => string },
  participantId: number,
): Promise<void> {
  if (await hasAgreed(db, participantId)) return;
  const url = agreementUrl(baseUrl());
  throw new CrowdaiError("agreement_missing", undefined, {
    next: `The license must be accepted by a person: run \`crowdai agree\` in a terminal, or open ${url}. Then run this again.`,
    details: { action_required: "agree", url, command: "crowdai agree" },
  });
}
