import type { Command } from "commander";
import { invite, listInvitations, uninvite } from "../domain/participants/invitations.ts";
import { challengesOption } from "./challenge-ids.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { now, type ParticipantTools, sayer } from "./participant-tools.ts";

/** Adds the commands that let participants into private challenges. */
export function addInvitationCommands(
  participant: Command,
  { io, dataOption, withRecords }: ParticipantTools,
): void {
  const say = sayer(io);
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
