import type { Command } from "commander";
import { disqualify, extentOf, reinstate } from "../domain/eligibility/disqualify.ts";
import { challengeId } from "./challenge-ids.ts";
import { requireKnownChallenges } from "./known-challenges.ts";
import { now, type ParticipantTools } from "./participant-tools.ts";

/** Adds the commands that take participants off the boards, and back. */
export function addDisqualifyCommands(
  participant: Command,
  { io, dataOption, withRecords }: ParticipantTools,
): void {
  participant
    .command("disqualify <name>")
    .description(
      "Take a participant off the boards and refuse further submissions, until reinstated. The records keep time and reason.",
    )
    .requiredOption("--reason <text>", "reason, which the participant sees")
    .option("--challenge <id>", "only in this challenge", challengeId)
    .addOption(dataOption())
    .action((name: string, { data, reason, challenge = null }) =>
      withRecords(data, async (records) => {
        if (challenge !== null) await requireKnownChallenges(records.db, [challenge]);
        await disqualify(records, { name, challenge, reason, now: now() });
        io.stderr.write(`${name} is disqualified ${extentOf(challenge)}.\n`);
      }),
    );
  participant
    .command("reinstate <name>")
    .description("Let a disqualified participant count again, with all earlier submissions.")
    .option("--challenge <id>", "only in this challenge", challengeId)
    .addOption(dataOption())
    .action((name: string, { data, challenge = null }) =>
      withRecords(data, async (records) => {
        const lifted = await reinstate(records, { name, challenge, now: now() });
        io.stderr.write(`${name} counts again ${lifted.map(extentOf).join(", ")}.\n`);
      }),
    );
}
