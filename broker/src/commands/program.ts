import { CrowdaiError } from "@crowdai/shared";
import { retryUntilReady } from "@crowdai/shared/retry-until-ready";
import { Command, Option } from "commander";
import { pino } from "pino";
import { iso } from "../base/clock.ts";
import { readConfig } from "../base/config.ts";
import { VERSION } from "../base/version.ts";
import { addOrganizer, addParticipant, revokeKeys } from "../domain/participants/api-keys.ts";
import { invite, listInvitations, uninvite } from "../domain/participants/invitations.ts";
import { listOrganizers, listParticipants } from "../domain/participants/list-participants.ts";
import { openRecords } from "../records/open.ts";
import type { Records } from "../records/records.ts";
import { createBroker } from "../startup/broker.ts";
import { addChallengeCommands } from "./challenge-commands.ts";
import type { Io } from "./io.ts";
import { addSubmissionCommands } from "./submission-commands.ts";

function challengeIds(text: string): string[] {
  const ids = text
    .split(",")
    .map((id) => id.trim())
    .filter(Boolean);
  if (ids.length === 0)
    throw new CrowdaiError("usage", "--challenges is empty: pass one or more challenge ids.");
  return ids;
}

/** Creates the commands of crowdai-broker. Results go to stdout, everything else to stderr. */
export function createProgram(io: Io): Command {
  const program = new Command("crowdai-broker")
    .description("Serve challenges: accept submissions, have them graded and keep the leaderboard.")
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const say = (line: string): void => {
    io.stdout.write(`${line}\n`);
  };
  const dataOption = () =>
    new Option("--data <dir>", "folder for records and objects").default("crowdai-data");
  const withRecords = async <T>(data: string, work: (records: Records) => Promise<T>): Promise<T> => {
    const records = await openRecords(readConfig({ data }, io.env, io.cwd));
    try {
      return await work(records);
    } finally {
      await records.close();
    }
  };
  const now = () => iso(Date.now());

  program
    .command("start")
    .description("Start the broker; with --with-grader it also grades, in the same process.")
    .option("--port <n>", "port to listen on; 0 picks a free one", "8420")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(dataOption())
    .option("--challenges <dir>", "folder that contains the challenge folders", "challenges")
    .option("--with-grader", "also grade submissions in this process")
    .option("--concurrency <n>", "jobs to grade in parallel with --with-grader (default: one per core)")
    .action(async (flags) => {
      const config = readConfig(flags, io.env, io.cwd);
      const log = pino(
        { level: config.logLevel, redact: ["*.apiKey", "*.key", "*.url"] },
        pino.destination({ dest: 2, sync: true }),
      );
      const broker = await retryUntilReady(() => createBroker({ config, log }), io.stderr);
      io.stderr.write(`crowdAI broker ${VERSION} listening on ${broker.url}\n`);
      for (const part of broker.parts) io.stderr.write(`  ${part}\n`);
      await new Promise<void>((stop) => io.onSignal(stop));
      io.stderr.write("stopping …\n");
      await broker.stop();
    });

  const participant = program
    .command("participant")
    .description("Manage participants, their keys and their invitations.");
  participant
    .command("add <name>")
    .description("Add a participant and print the API key; it is shown only once.")
    .addOption(dataOption())
    .action((name: string, { data }) => {
      const { webapp } = readConfig({ data }, io.env, io.cwd);
      if (webapp)
        throw new CrowdaiError(
          "usage",
          `Participants and their keys are managed by the webapp at ${webapp.url}.`,
          {
            next: "Add the participant there, or unset WEBAPP_URL.",
          },
        );
      return withRecords(data, async (records) => say(await addParticipant(records, name, now())));
    });
  participant
    .command("list")
    .description("List participants: id, name, number of submissions, whether a key is active.")
    .addOption(dataOption())
    .option("--format <format>", "output format: text or json", "text")
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
    .command("revoke <name>")
    .description("Revoke all keys of a participant, effective at once.")
    .addOption(dataOption())
    .action((name: string, { data }) => withRecords(data, (records) => revoke(records, "participant", name)));
  const challengesOption = () =>
    new Option("--challenges <ids>", "challenge ids, separated by commas").makeOptionMandatory();
  participant
    .command("invite <name>")
    .description("Invite a participant to private challenges.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        const ids = challengeIds(challenges);
        const made = await invite(records, name, ids, now());
        io.stderr.write(`${name} is ${made === 0 ? "already " : ""}invited to ${ids.join(", ")}.\n`);
      }),
    );
  participant
    .command("uninvite <name>")
    .description("Withdraw invitations; existing submissions stay.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        const gone = await uninvite(records, name, challengeIds(challenges));
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

  const organizer = program
    .command("organizer")
    .description("Manage organizers and their keys, which graders and the webapp API use.");
  organizer
    .command("add <name>")
    .description("Add an organizer of the given challenges and print the API key; it is shown only once.")
    .requiredOption("--challenges <ids>", "challenge ids, separated by commas")
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        say(await addOrganizer(records, name, challengeIds(challenges), now()));
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
    .command("revoke <name>")
    .description("Revoke all keys of an organizer, effective at once.")
    .addOption(dataOption())
    .action((name: string, { data }) => withRecords(data, (records) => revoke(records, "organizer", name)));

  addChallengeCommands(program, io, dataOption);
  addSubmissionCommands(program, io, dataOption, withRecords);

  async function revoke(records: Records, owner: "participant" | "organizer", name: string): Promise<void> {
    const ended = await revokeKeys(records, owner, name, now());
    io.stderr.write(
      ended === 0
        ? `${name} has no active key.\n`
        : `Revoked ${ended} key${ended === 1 ? "" : "s"} of ${name}.\n`,
    );
  }

  return program;
}
