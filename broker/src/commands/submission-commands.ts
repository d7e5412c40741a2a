import { CrowdaiError } from "@crowdai/shared";
import { type Command, Option } from "commander";
import { markBaseline } from "../domain/submissions/mark-baseline.ts";
import { type LoggedAttempt, readAttempts } from "../domain/submissions/read-attempts.ts";
import type { Db, Records } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";
import type { Io } from "./io.ts";
import { runLines } from "./run-lines.ts";

/** Adds `crowdai-broker submission …`: commands that show graders' logs and mark baselines. */
export function addSubmissionCommands(
  program: Command,
  io: Pick<Io, "stdout" | "stderr">,
  dataOption: () => Option,
  withRecords: <T>(data: string, work: (records: Records) => Promise<T>) => Promise<T>,
): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  const submission = program.command("submission").description("Inspect submissions and mark baselines.");

  submission
    .command("log <id>")
    .description("Print the log that each grading attempt of a submission wrote for the organizer.")
    .addOption(dataOption())
    .addOption(new Option("--format <format>", "output format").choices(["text", "json"]).default("text"))
    .option("--final", "show the final scores, which are hidden from participants until the round has ended")
    .action((id: string, { data, format, final = false }) =>
      withRecords(data, async ({ db }) => {
        const row = await findRow(db, id);
        const attempts = await readAttempts(db, row, { withFinal: final });
        if (format === "json")
          say(JSON.stringify({ schema_version: 1, submission: row.id, state: row.state, attempts }));
        else for (const line of describe(row, attempts)) say(line);
      }),
    );

  submission
    .command("baseline <id>")
    .description(
      "Show a submission on the leaderboard as an unranked baseline instead of as its participant's entry.",
    )
    .addOption(dataOption())
    .option("--comment <text>", "comment to show on the leaderboard")
    .option("--remove", "make it its participant's entry again")
    .action((id: string, { data, comment, remove }) =>
      withRecords(data, async (records) => {
        if (remove && comment !== undefined)
          throw new CrowdaiError("usage", "--comment cannot be combined with --remove.");
        const row = await findRow(records.db, id);
        await markBaseline(records, row.id, remove ? null : { comment: comment ?? null });
        io.stderr.write(
          remove
            ? `${row.id} is its participant's entry again.\n`
            : `${row.id} is now a baseline of ${row.challenge}.\n`,
        );
      }),
    );
}

/** Finds a submission by the id that participants see, or by the webapp's number. */
async function findRow(db: Db, id: string): Promise<SubmissionRow> {
  const number = /^\d{1,9}$/.test(id) ? Number(id) : null;
  const row = await db
    .selectFrom("submissions")
    .selectAll()
    .where((eb) => eb.or([eb("id", "=", id), ...(number === null ? [] : [eb("number", "=", number)])]))
    .executeTakeFirst();
  if (row) return row;
  throw new CrowdaiError("submission_unknown", `This broker has no submission "${id.slice(0, 64)}".`);
}

function describe(row: SubmissionRow, attempts: LoggedAttempt[]): string[] {
  const why = row.error_code === null ? "" : ` (${row.error_code}): ${row.error_message ?? ""}`;
  const head = `${row.id} of ${row.challenge}, ${row.state}${why}`;
  if (attempts.length === 0) return [head, "No grader has picked it up yet."];
  return [head, ...attempts.flatMap(attemptLines)];
}

function attemptLines({
  number,
  state,
  accepted,
  grader,
  finished_at,
  organiser_log,
  score,
  score_final,
  error,
  run,
}: LoggedAttempt): string[] {
  const end = finished_at === null ? "" : ` at ${finished_at}`;
  const by = grader === null ? "" : ` by ${grader}`;
  const log = organiser_log?.trimEnd();
  return [
    `attempt ${number}: ${state}${accepted ? ", outcome accepted" : ""}${by}${end}`,
    ...(error === null ? [] : [`  verdict: ${error.code}: ${printable(error.message)}`]),
    ...(score === null
      ? []
      : [`  verdict: score ${score}${score_final == null ? "" : `, final score ${score_final}`}`]),
    ...(run === null ? [] : runLines(run).map((line) => `  ${printable(line)}`)),
    ...(log ? log.split("\n").map((line) => `  ${printable(line)}`) : ["  nothing logged"]),
  ];
}

/** Replaces control characters: an evaluator's output must not steer the terminal that shows it. */
const printable = (line: string) => line.replace(/[^\P{C}\t]/gu, "�");
