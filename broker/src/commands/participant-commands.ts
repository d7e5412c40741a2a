import { CrowdaiError } from "@crowdai/shared";
import { type Command, Option } from "commander";
import { addParticipant, replaceKeys, revokeKeys } from "../domain/participants/api-keys.ts";
import { invite } from "../domain/participants/invitations.ts";
import { listParticipants } from "../domain/participants/list-participants.ts";
import { removeProfileOf } from "../domain/profiles/change-profile.ts";
import { addPeopleFrom } from "./add-people-command.ts";
import { optionalChallenges } from "./challenge-ids.ts";
import { addDisqualifyCommands } from "./disqualify-commands.ts";
import { addInvitationCommands } from "./invitation-commands.ts";
import { addJoinLinkCommands } from "./join-link-commands.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { participantLine } from "./participant-line.ts";
import { now, type ParticipantTools, requireOwnParticipants, sayer } from "./participant-tools.ts";
import { revokedKeys } from "./revoked-keys.ts";

const label = (what: string) => new Option("--label <label>", what);
const formatOption = () =>
  new Option("--format <format>", "output format").choices(["text", "json"]).default("text");
const member = (what: string) => new Option("--member <person>", what);

/** Adds `crowdai-broker participant …`: commands for participants, their keys and their invitations. */
export function addParticipantCommands(program: Command, tools: ParticipantTools): void {
  const { io, dataOption, withRecords } = tools;
  const say = sayer(io);

  const participant = program
    .command("participant")
    .description("Manage participants, their keys and their invitations.");
  participant
    .command("add [name]")
    .description(
      "Add a participant and print the API key, which is shown only once; or add all participants of a CSV file.",
    )
    .option("--from <file>", "CSV file with the columns name and optionally label, member and challenges")
    .addOption(label("name of the key, shown to its owner"))
    .addOption(member("person of a team whose key it is, listed on leaderboards"))
    .addOption(optionalChallenges("private challenges to invite to, separated by commas"))
    .addOption(formatOption())
    .addOption(dataOption())
    .action((name: string | undefined, { data, from, format, challenges = [], ...key }) => {
      requireOwnParticipants(io, data, "Add the participant");
      return withRecords(data, async (records) => {
        if (from !== undefined) {
          if (name !== undefined || challenges.length > 0 || Object.keys(key).length > 0)
            throw new CrowdaiError(
              "usage",
              "With --from, names, labels, members and challenges come from the file.",
            );
          return addPeopleFrom(io, records, from, format);
        }
        if (name === undefined) throw new CrowdaiError("usage", "Pass a name, or a file with --from.");
        await requireKnownChallenges(records.db, challenges);
        const added = await addParticipant(records, name, now(), key);
        if (challenges.length > 0) await invite(records, name, challenges, now());
        if (format === "json") say(JSON.stringify({ schema_version: 1, name, key: added }));
        else say(added);
      });
    });
  participant
    .command("list")
    .description(
      "List participants: id, name, number of submissions, whether a key is active, when they were added, and the active keys with their last use.",
    )
    .addOption(dataOption())
    .addOption(formatOption())
    .action(({ data, format }) =>
      withRecords(data, async ({ db }) => {
        const participants = await listParticipants(db);
        if (format === "json") say(JSON.stringify({ schema_version: 1, participants }));
        else for (const each of participants) say(participantLine(each));
      }),
    );
  participant
    .command("key <name>")
    .description("Issue a new API key, print it once, and revoke all earlier keys, effective at once.")
    .addOption(label("name of the key, shown to its owner, such as laptop or CI"))
    .addOption(member("person of a team whose key it is, listed on leaderboards"))
    .option("--keep-others", "revoke only an earlier key with the same label")
    .addOption(dataOption())
    .action((name: string, { data, ...options }) => {
      requireOwnParticipants(io, data, "Replace the key");
      return withRecords(data, async (records) => {
        const { key, revoked } = await replaceKeys(records, "participant", name, now(), options);
        say(key);
        if (revoked > 0 || !options.keepOthers) io.stderr.write(revokedKeys(name, revoked));
      });
    });
  participant
    .command("revoke <name>")
    .description("Revoke all keys of a participant, or those named, effective at once.")
    .addOption(label("revoke only the key with this label"))
    .addOption(member("revoke only the keys of this person"))
    .addOption(dataOption())
    .action((name: string, { data, ...which }) => {
      requireOwnParticipants(io, data, "Revoke the key");
      return withRecords(data, async (records) => {
        const revoked = await revokeKeys(records, "participant", name, now(), which);
        io.stderr.write(revokedKeys(name, revoked));
      });
    });
  addInvitationCommands(participant, tools);
  addJoinLinkCommands(participant, tools);
  addDisqualifyCommands(participant, tools);
  participant
    .command("clear-profile <name>")
    .description(
      "Remove what a participant shows beside the name: shown name, affiliation, link and picture. The records keep time and reason.",
    )
    .option("--reason <text>", "reason, for the records")
    .addOption(dataOption())
    .action((name: string, { data, reason = null }) =>
      withRecords(data, async (records) => {
        await removeProfileOf(records, name, reason, new Date());
        io.stderr.write(
          `The profile of ${name} is removed. A running broker deletes its picture within seconds.\n`,
        );
      }),
    );
}
