import type { Bundle } from "./open-bundle.ts";

/** Something in a bundle that has no place in a challenge folder. */
export interface LeftOut {
  what: string;
  reason: string;
}

/** A challenge folder to be written. */
export interface Draft {
  /** The content of challenge.json. */
  config: { id: string; title: string } & Record<string, unknown>;
  /**
   * Files and folders of the bundle, and where they go. An archive becomes a folder, unless it is taken as it
   * is.
   */
  files: { from: string; to: string; asIs?: boolean }[];
  leftOut: LeftOut[];
}

/** The state that the readers of the two formats share. */
export interface Reading {
  bundle: Bundle;
  /** The id that the organizer chose; null for one made of the title. */
  id: string | null;
  /** Reports why the bundle cannot be imported. All reasons are shown at once. */
  problem(text: string): void;
  leaveOut(what: string, reason: string): void;
}

/**
 * Returns an id for challenges and rounds, in ASCII; null when the text has no letters or digits that remain.
 */
export function idOf(text: string): string | null {
  const letters: Record<string, string> = {
    ä: "ae",
    ö: "oe",
    ü: "ue",
    ß: "ss",
    ø: "o",
    æ: "ae",
    ł: "l",
    đ: "d",
  };
  const id = text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[äöüßøæłđ]/g, (letter) => letters[letter]!)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-+|-+$/g, "");
  return id || null;
}

/** Returns the id of the challenge, or reports that there is none. */
export function importedChallengeId({ id, problem }: Reading, title: string): string {
  const made = id ?? idOf(title);
  if (made === null) problem(`title: an id cannot be made of ${JSON.stringify(title)}; name one with --id`);
  return made ?? "";
}

/** Returns ids for rounds, in their order, each once. */
export function roundIds(names: readonly string[]): string[] {
  const ids: string[] = [];
  for (const [index, name] of names.entries()) {
    const id = idOf(name);
    ids.push(id === null || ids.includes(id) ? `round-${index + 1}` : id);
  }
  return ids;
}
