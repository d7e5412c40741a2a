import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../config/private-file.ts";
import type { Settings } from "../config/settings.ts";

export const ID_KINDS = ["challenges", "submissions"] as const;
export type IdKind = (typeof ID_KINDS)[number];

interface StoredIds {
  /** When they were read, in milliseconds. */
  at: number;
  ids: string[];
}

/** Shells expand what a script offers: anything but a plain word would run as code there. */
const PLAIN = /^[A-Za-z0-9][\w.-]*$/;
export const plainIds = (ids: readonly unknown[]): string[] =>
  ids.filter((id): id is string => typeof id === "string" && PLAIN.test(id));

type Place = Pick<Settings, "broker" | "configDir">;

/** Returns the ids that were read last at this broker; without a readable file, none. */
export function storedIds(place: Place, kind: IdKind): StoredIds {
  try {
    const { at, ids } = JSON.parse(readFileSync(fileOf(place, kind), "utf8"));
    return { at: Number(at) || 0, ids: plainIds(ids) };
  } catch {
    return { at: 0, ids: [] };
  }
}

/** Stores ids for later completions, in a file that only the user can read. Never rejects. */
export async function storeIds(place: Place, kind: IdKind, ids: readonly string[]): Promise<void> {
  await writePrivateFile(fileOf(place, kind), JSON.stringify({ at: Date.now(), ids })).catch(() => {});
}

const fileOf = ({ broker, configDir }: Place, kind: IdKind) =>
  join(configDir, "completion", `${encodeURIComponent(broker)}.${kind}.json`);
