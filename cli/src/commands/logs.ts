import {
  challengeSchema,
  type StageRecord,
  type Submission,
  submissionEventSchema,
  submissionSchema,
} from "@crowdai/shared";
import { z } from "zod";
import type { HttpClient } from "../client/http/http-client.ts";
import { plainText } from "../terminal/plain-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";
import { scoreRows } from "./submission/score-rows.ts";

const eventsSchema = z.object({ submission: submissionSchema, events: z.array(submissionEventSchema) });
type Event = z.infer<typeof submissionEventSchema>;

/**
 * Prints what a run of the code printed, where it may be seen, the log lines of the evaluator, and its
 * progress.
 */
export async function logs({ connection, terminal }: CommandContext, args: { id: string }): Promise<number> {
  await connection.key();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}/events`;
  const http = await connection.http();
  const { submission, events } = await http.get(path, eventsSchema, {
    after: 0,
    wait: 0,
  });
  const logged = events.filter((event) => lineOf(event) !== null);
  const stages = (submission.run?.stages ?? []).filter(({ stdout, stderr }) => stdout || stderr);
  terminal.present({
    json: { submission: submission.id, events: logged, ...(submission.run ? { stages } : {}) },
    ndjson: [
      ...logged.map((event) => ({ type: "event", event })),
      ...stages.map((stage) => ({ type: "stage", stage })),
    ],
    quiet: [submission.id],
    text: () => {
      for (const stage of stages) for (const line of stageLines(stage)) terminal.answer(line);
      for (const event of logged) terminal.answer(plainText(lineOf(event)!));
    },
  });

  if (submission.state === "graded") await noteGrade(terminal, http, submission);
  if (logged.length === 0 && stages.length === 0)
    terminal.note(`Nothing has been logged${submission.finished_at ? "" : " yet"}.`);
  if (submission.finished_at === null) terminal.next(`crowdai watch ${submission.id}`);
  return 0;
}

/** Prints the scores for people, rounded as the leaderboard rounds them. */
async function noteGrade(terminal: Terminal, http: HttpClient, submission: Submission): Promise<void> {
  if (terminal.quiet || terminal.format !== "text") return;
  const path = `/api/v1/challenges/${encodeURIComponent(submission.challenge)}`;
  const rows = scoreRows(submission, await http.get(path, challengeSchema).catch(() => null));
  const scores = rows.flatMap(([label, value]) => (value ? [`${label}: ${value}`] : []));
  if (scores.length > 0) terminal.note(`Graded. ${scores.join(", ")}`);
}

/** Returns what the program printed in a stage, each stream under its name. */
function stageLines({ stage, stdout, stderr }: StageRecord): string[] {
  return Object.entries({ stdout, stderr }).flatMap(([stream, text]) =>
    text ? [`--- ${stage}, ${stream}`, plainText(text.replace(/\n$/, ""))] : [],
  );
}

function lineOf({ type, data }: Event): string | null {
  if (typeof data.message !== "string" || data.message === "") return null;
  if (type === "log") return data.message;
  if (type === "progress")
    return typeof data.percent === "number" ? `[${Math.round(data.percent)}%] ${data.message}` : data.message;
  return null;
}
