import { randomUUID } from "node:crypto";
import { CrowdaiError } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { Db } from "./records.ts";

const MARKER = "instance.json";

/** Returns the broker's identity, which is created with its records. */
export async function readInstance(db: Db): Promise<string> {
  const known = await db
    .selectFrom("settings")
    .select("value")
    .where("name", "=", "instance")
    .executeTakeFirst();
  if (known) return known.value;
  await db
    .insertInto("settings")
    .values({ name: "instance", value: randomUUID() })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  return readInstance(db);
}

/**
 * Marks the object store as belonging to these records. Throws data_mixed when it carries another broker's
 * mark: submissions would then refer to another broker's bytes.
 */
export async function claimObjects(db: Db, objects: ObjectStore): Promise<void> {
  const instance = await readInstance(db);
  const known = await objects.stat(MARKER);
  if (!known) {
    const marker = Buffer.from(JSON.stringify({ instance }));
    await markedStep("upload.marker", () => objects.put(MARKER, marker, { type: "application/json" }));
    return;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of await objects.get(MARKER)) chunks.push(chunk);
  if (instanceIn(Buffer.concat(chunks).toString("utf8")) !== instance)
    throw new CrowdaiError(
      "data_mixed",
      `The objects (${objects.name}) belong to a different broker than the records.`,
    );
}

/** Returns the identity in a mark, or null when the mark is damaged. */
function instanceIn(mark: string): unknown {
  try {
    return (JSON.parse(mark) as { instance?: unknown }).instance;
  } catch {
    return null;
  }
}
