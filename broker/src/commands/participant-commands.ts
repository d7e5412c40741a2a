import { CrowdaiError } from "@crowdai/shared";
import { type Command, Option } from "commander";
import { iso } from "../base/clock.ts";
import { readConfig } from "../base/config.ts";
import { addParticipant, replaceKeys, revokeKeys } from "../domain/participants/api-keys.ts";
import { invite, listInvitations, uninvite } from "../domain/participants/invitations.ts";
import { listParticipants } from "../domain/participants/list-participants.ts";
import type { Records } from "../records/records.ts";
import { challengesOption } from "./challenge-ids.ts";
import type { Io } from "./io.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { revokedKeys } from "./revoked-keys.ts";

/** Adds `crowdai-broker participant …`: commands for participants, their keys and their invitations. */
export function addParticipantCommands(
  program: Command,
  io: Io,
  dataOption: () => Option,
  withRecords: <T>(data: string, work: (records: Records) => Promise<T>) => Promise<T>,
): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  const now = () => iso(Date.now());
  /** Throws usage where participants and their keys belong to a webapp elsewhere. */
  const requireOwnParticipants = (data: string, next: string) => {
    const { webapp } = readConfig({ data }, io.env, io.cwd);
    if (webapp)
      throw new CrowdaiError(
        "usage",
        `Participants and their keys are managed by the webapp at ${webapp.url}.`,
        {
          next: `${next} there, or unset WEBAPP_URL.`,
        },
      );
  };

  const participant = program
    .command("participant")
    .description("Manage participants, their keys and their invitations.");
  participant
    .command("add <name>")
    .description("Add a participant and print the API key; it is shown only once.")
    .addOption(dataOption())
    .action((name: string, { data }) => {
      requireOwnParticipants(data, "Add the participant");
      return withRecords(data, async (records) => say(await addParticipant(records, name, now())));
    });
  participant
    .command("list")
    .description("List participants: id, name, number of submissions, whether a key is active.")
    .addOption(dataOption())
    .addOption(new Option("--format <format>", "output format").choices(["text", "json"]).default("text"))
    .action(({ data, format }) =>
      withRecords(data, async ({ db }) => {
        const participants = await listParticipants(db);
        if (format === "json") say(JSON.stringify({ schema_version: 1, participants }));
        else
          for (const { id, name, submissions, active } of participants)
            say([id, name, submissions, active ? "active" : "revoked"].join("\t"));
      }),
    );
  participant
    .command("key <name>")
    .description("Issue a new API key, print it once, and revoke all earlier keys, effective at once.")
    .addOption(dataOption())
    .action((name: string, { data }) => {
      requireOwnParticipants(data, "Replace the key");
      return withRecords(data, async (records) => {
        const { key, revoked } = await replaceKeys(records, "participant", name, now());
        say(key);
        io.stderr.write(revokedKeys(name, revoked));
      });
    });
  participant
    .command("revoke <name>")
    .description("Revoke all keys of a participant, effective at once.")
    .addOption(dataOption())
    .action((name: string, { data }) => {
      requireOwnParticipants(data, "Revoke the key");
      return withRecords(data, async (records) => {
        io.stderr.write(revokedKeys(name, await revokeKeys(records, "participant", name, now())));
      });
    });
  participant
    .command("invite <name>")
    .description("Invite a participant to private challenges.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        const unconfirmed = await requireKnownChallenges(records.db, challenges);
        const made = await invite(records, name, challenges, now());
        io.stderr.write(`${name} is ${made === 0 ? "already " : ""}invited to ${challenges.join(", ")}.\n`);
        if (unconfirmed.length > 0)
          io.stderr.write("note: no broker with these records has served a challenge yet; check the ids.\n");
      }),
    );
  participant
    .command("uninvite <name>")
    .description("Withdraw invitations; existing submissions stay.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        const gone = await uninvite(records, name, challenges);
        io.stderr.write(
          gone === 0
            ? `${name} was not invited.\n`
            : `Withdrew ${gone} invitation${gone === 1 ? "" : "s"} of ${name}.\n`,
        );
      }),
    );
  participant
    .command("invitations")
    .description("List invitations: challenge, participant, time of the invitation.")
    .addOption(dataOption())
    .action(({ data }) =>
      withRecords(data, async ({ db }) => {
        for (const { challenge, participant: name, created_at } of await listInvitations(db))
          say([challenge, name, created_at].join("\t"));
      }),
    );
}
