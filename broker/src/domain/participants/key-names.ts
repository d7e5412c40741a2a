import { CrowdaiError } from "@crowdai/shared";
import type { Db } from "../../records/records.ts";

/** How a key is named: its label for its owner, and the person of a team whose key it is. */
export interface KeyName {
  label?: string | undefined;
  member?: string | undefined;
}

/** Valid labels and members: one line, without controls, marks of direction and invisible characters. */
export const KEY_NAME = /^[^\p{C}\s](?:[^\p{C}\p{Zl}\p{Zp}]{0,98}[^\p{C}\s])?$/u;

/** Returns the name of a new key: the label of a member's key is by default the member. Throws usage. */
export const newKeyName = ({ label, member }: KeyName): KeyName =>
  requireKeyName({ label: label ?? member, member });

/** Returns the name in its normal form. Throws usage. */
export function requireKeyName({ label, member }: KeyName): KeyName {
  const named = {
    ...(label === undefined ? {} : { label: label.normalize("NFC") }),
    ...(member === undefined ? {} : { member: member.normalize("NFC") }),
  };
  for (const [what, text] of Object.entries(named))
    if (!KEY_NAME.test(text))
      throw new CrowdaiError(
        "usage",
        `A ${what} must have 1 to 100 characters, no control characters, and no spaces at either end.`,
      );
  return named;
}

/** Spells label and member as the owner's other keys do: they differ in more than case. */
export async function knownSpelling(
  db: Db,
  owner: "participant" | "organizer",
  ownerId: number,
  named: KeyName,
): Promise<KeyName> {
  if (named.label === undefined && named.member === undefined) return named;
  const keys = await db
    .selectFrom("api_keys")
    .select(["label", "member"])
    .where("owner", "=", owner)
    .where("owner_id", "=", ownerId)
    .execute();
  const spelled = { ...named };
  for (const what of ["label", "member"] as const) {
    const wanted = named[what]?.toLowerCase();
    const known = keys.find((key) => wanted !== undefined && key[what]?.toLowerCase() === wanted)?.[what];
    if (known) spelled[what] = known;
  }
  return spelled;
}

export const noSuchKey = (name: string, { label, member }: KeyName): CrowdaiError =>
  new CrowdaiError(
    "usage",
    label === undefined
      ? `${name} has no active key of a member "${member}".`
      : `${name} has no active key with the label "${label}".`,
    { next: "Run `crowdai-broker participant list` to see the labels." },
  );
