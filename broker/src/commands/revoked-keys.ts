/** Returns the line that reports how many keys of a participant or organizer were revoked. */
export const revokedKeys = (name: string, revoked: number): string =>
  revoked === 0
    ? `${name} had no active key.\n`
    : `Revoked ${revoked} key${revoked === 1 ? "" : "s"} of ${name}.\n`;
