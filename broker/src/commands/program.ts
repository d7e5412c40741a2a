import type { Writable } from "node:stream";
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
import { addSubmissionCommands } from "./submission-commands.ts";

export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdout: Writable;
  stderr: Writable;
  /** Calls `stop` at the first request to end the program. */
  onSignal(stop: () => void): void;
}

function challengeIds(text: string): string[] {
  const ids = text
    .split(",")
    .map((id) => id.trim())
    .filter(Boolean);
  if (ids.length === 0) throw new CrowdaiError("usage", "--challenges names no challenge.");
  return ids;
}

/** The commands of crowdai-broker. Answers go to stdout, talk to stderr. */
export function createProgram(io: Io): Command {
  const program = new Command("crowdai-broker")
    .description("Serves challenges: takes submissions, has them graded, keeps the leaderboard.")
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
    new Option("--data <dir>", "where records and objects are kept").default("crowdai-data");
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
    .description("Start the broker; with --with-grader, one process does everything.")
    .option("--port <n>", "port to listen on; 0 takes a free one", "8420")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(dataOption())
    .option("--challenges <dir>", "folder with one folder a challenge", "challenges")
    .option("--with-grader", "grade in this process")
    .option("--concurrency <n>", "jobs graded at once by --with-grader (default: one a core)")
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

  const participant = program.command("participant").description("Participants and their keys.");
  participant
    .command("add <name>")
    .description("Add a participant and print the API key, once.")
    .addOption(dataOption())
    .action((name: string, { data }) => {
      const { webapp } = readConfig({ data }, io.env, io.cwd);
      if (webapp)
        throw new CrowdaiError(
          "usage",
          `Participants and their keys are those of the webapp at ${webapp.url}.`,
          {
            next: "Add the participant there, or unset WEBAPP_URL.",
          },
        );
      return withRecords(data, async (records) => say(await addParticipant(records, name, now())));
    });
  participant
    .command("list")
    .description("List the participants: id, name, submissions, whether a key works.")
    .addOption(dataOption())
    .option("--format <format>", "text or json", "text")
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
    .description("End every key of a participant, at once.")
    .addOption(dataOption())
    .action((name: string, { data }) => withRecords(data, (records) => revoke(records, "participant", name)));
  const challengesOption = () =>
    new Option("--challenges <ids>", "ids of the challenges, separated by commas").makeOptionMandatory();
  participant
    .command("invite <name>")
    .description("Let a participant take part in private challenges.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        const ids = challengeIds(challenges);
        const made = await invite(records, name, ids, now());
        io.stderr.write(`${name} is invited to ${ids.join(", ")}${made === 0 ? ", as before" : ""}.\n`);
      }),
    );
  participant
    .command("uninvite <name>")
    .description("Take invitations back; what was submitted stays.")
    .addOption(challengesOption())
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        const gone = await uninvite(records, name, challengeIds(challenges));
        io.stderr.write(
          gone === 0
            ? `${name} was not invited.\n`
            : `Took back ${gone} invitation${gone === 1 ? "" : "s"} of ${name}.\n`,
        );
      }),
    );
  participant
    .command("invitations")
    .description("List who is invited: challenge, name, since when.")
    .addOption(dataOption())
    .action(({ data }) =>
      withRecords(data, async ({ db }) => {
        for (const { challenge, participant: name, created_at } of await listInvitations(db))
          say([challenge, name, created_at].join("\t"));
      }),
    );

  const organizer = program
    .command("organizer")
    .description("Organisers and their keys, for graders and the webapp API.");
  organizer
    .command("add <name>")
    .description("Add an organiser of some challenges and print the API key, once.")
    .requiredOption("--challenges <ids>", "ids of the challenges, separated by commas")
    .addOption(dataOption())
    .action((name: string, { data, challenges }) =>
      withRecords(data, async (records) => {
        say(await addOrganizer(records, name, challengeIds(challenges), now()));
      }),
    );
  organizer
    .command("list")
    .description("List the organisers: id, name, challenges, whether a key works.")
    .addOption(dataOption())
    .action(({ data }) =>
      withRecords(data, async ({ db }) => {
        for (const { id, name, challenges, active } of await listOrganizers(db))
          say([id, name, challenges.join(","), active ? "active" : "revoked"].join("\t"));
      }),
    );
  organizer
    .command("revoke <name>")
    .description("End every key of an organiser, at once.")
    .addOption(dataOption())
    .action((name: string, { data }) => withRecords(data, (records) => revoke(records, "organizer", name)));

  addChallengeCommands(program, io, dataOption);
  addSubmissionCommands(program, io, dataOption, withRecords);

  async function revoke(records: Records, owner: "participant" | "organizer", name: string): Promise<void> {
    const ended = await revokeKeys(records, owner, name, now());
    io.stderr.write(
      ended === 0
        ? `${name} had no working key.\n`
        : `Revoked ${ended} key${ended === 1 ? "" : "s"} of ${name}.\n`,
    );
  }

  return program;
}
