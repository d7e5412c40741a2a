import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { csvLine } from "../base/csv.ts";
import type { Records } from "../records/records.ts";
import { CHALLENGE_ID } from "./challenge-ids.ts";
import type { Io } from "./io.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { now } from "./participant-tools.ts";

/** Adds the participants of a CSV file and prints their keys once, as CSV or JSON. */
export async function addPeopleFrom(
  { stdout, stderr, cwd }: Pick<Io, "stdout" | "stderr" | "cwd">,
  records: Records,
  file: string,
  format: "text" | "json",
): Promise<void> {
  // Loaded here: other commands need no CSV.
  const { LineErrors, readPeopleFile } = await import("../domain/participants/people-file.ts");
  const { addPeople } = await import("../domain/participants/add-people.ts");
  const { rows, columns, ignored } = readPeopleFile(await readBytes(resolve(cwd, file)));
  const errors = new LineErrors();
  for (const { line, challenges } of rows)
    for (const id of challenges)
      if (!CHALLENGE_ID.test(id)) errors.add(line, `${JSON.stringify(id)} is not a challenge id`);
  errors.check();
  await requireKnownChallenges(records.db, [...new Set(rows.flatMap(({ challenges }) => challenges))]);

  const keys = await addPeople(records, rows, now());
  if (format === "json") {
    const participants = rows.map(({ name, label, member, challenges }, index) => ({
      ...{ name, label: label ?? member ?? null, member: member ?? null, challenges, key: keys[index] },
    }));
    stdout.write(`${JSON.stringify({ schema_version: 1, participants })}\n`);
  } else {
    const lines = rows.map((row, index) => [
      ...columns.map((column) => row[column] ?? ""),
      keys[index] ?? "",
    ]);
    for (const line of [[...columns, "key"], ...lines]) stdout.write(csvLine(line, "\n"));
  }
  const participants = new Set(rows.map(({ name }) => name.toLowerCase())).size;
  stderr.write(
    `Added ${participants} participant${participants === 1 ? "" : "s"}${participants === keys.length ? "" : ` with ${keys.length} keys`}. The keys are shown only once.\n`,
  );
  if (ignored.length > 0)
    stderr.write(`note: ignored the column${ignored.length === 1 ? "" : "s"} ${ignored.join(", ")}.\n`);
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CrowdaiError("usage", `Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
