import type { Command, Option } from "commander";
import { iso } from "../base/clock.ts";
import { addOrganizer, replaceKeys, revokeKeys, setChallenges } from "../domain/participants/api-keys.ts";
import { listOrganizers } from "../domain/participants/list-participants.ts";
import type { Records } from "../records/records.ts";
import { challengesOption } from "./challenge-ids.ts";
import type { Io } from "./io.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { revokedKeys } from "./revoked-keys.ts";

/** Adds `crowdai-broker organizer …`: commands for organizers, their challenges and their keys. */
export function addOrganizerCommands(
  program: Command,
  io: Pick<Io, "stdout" | "stderr">,
  dataOption: () => Option,
  withRecords: <T>(data: string, work: (records: Records) => Promise<T>) => Promise<T>,
): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  const now = () => iso(Date.now());

  const organizer = program
    .command("organizer")
    .description("Manage organizers and their keys, which graders and the webapp API use.");
  organizer
    .command("add <name>")
    .description("Add an organizer of the given challenges and print the API key; it is shown only once.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        await requireKnownChallenges(records.db, challenges);
        say(await addOrganizer(records, name, challenges, now()));
      }),
    );
  organizer
    .command("list")
    .description("List organizers: id, name, challenges, whether a key is active.")
    .addOption(dataOption())
    .action(({ data }) =>
      withRecords(data, async ({ db }) => {
        for (const { id, name, challenges, active } of await listOrganizers(db))
          say([id, name, challenges.join(","), active ? "active" : "revoked"].join("\t"));
      }),
    );
  organizer
    .command("set <name>")
    .description("Replace the list of an organizer's challenges, effective at once; the key stays.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        await requireKnownChallenges(records.db, challenges);
        await setChallenges(records, name, challenges);
        io.stderr.write(`${name} is now the organizer of ${challenges.join(", ")}.\n`);
      }),
    );
  organizer
    .command("key <name>")
    .description("Issue a new API key, print it once, and revoke all earlier keys, effective at once.")
    .addOption(dataOption())
    .action((name: string, { data }) =>
      withRecords(data, async (records) => {
        const { key, revoked } = await replaceKeys(records, "organizer", name, now());
        say(key);
        io.stderr.write(revokedKeys(name, revoked));
      }),
    );
  organizer
    .command("revoke <name>")
    .description("Revoke all keys of an organizer, effective at once.")
    .addOption(dataOption())
    .action((name: string, { data }) =>
      withRecords(data, async (records) => {
        io.stderr.write(revokedKeys(name, await revokeKeys(records, "organizer", name, now())));
      }),
    );
}
