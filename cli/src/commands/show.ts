import {
  challengeSchema,
  type PublicChallenge,
  type Submission,
  stringifyExact,
  submissionSchema,
} from "@crowdai/shared";
import type { HttpClient } from "../client/http/http-client.ts";
import { type LabeledRow, labeledLines } from "../terminal/labels.ts";
import { plainValue } from "../terminal/plain-text.ts";
import { startText } from "../terminal/queue-text.ts";
import { sizeText } from "../terminal/size.ts";
import type { Style } from "../terminal/style.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";
import { playedRows } from "./submission/environment-rows.ts";
import { readStanding } from "./submission/read-standing.ts";
import { commandText, stageRows } from "./submission/run-rows.ts";
import { rankRows, scoreRows } from "./submission/score-rows.ts";
import { submissionDocument } from "./submission/submission-document.ts";

/** Shows all that is known of a submission. */
export async function show(
  { io, connection, terminal }: CommandContext,
  args: { id: string },
): Promise<number> {
  await connection.key();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}`;
  const http = await connection.http();
  const submission = await http.get(path, submissionSchema);
  const isText = terminal.format === "text" && !terminal.quiet;
  const around = isText ? await readAround(http, submission, io.signal) : { challenge: null, total: null };
  const next = nextOf(submission);
  terminal.present({
    json: submissionDocument(submission),
    ndjson: [{ type: "submission", ...submissionDocument(submission) }],
    quiet: [submission.id],
    text: () =>
      terminal.answer(
        labeledLines(rowsOf(plainValue(submission), around, terminal), terminal.style, terminal.width).join(
          "\n",
        ),
      ),
    next: [next],
  });
  terminal.next(next);
  return 0;
}

function nextOf({ id, finished_at, artifacts, state, challenge }: Submission): string {
  if (finished_at === null) return `crowdai watch ${id}`;
  if (artifacts.length > 0) return `crowdai artifacts ${id} --dir .`;
  return state === "graded" ? `crowdai leaderboard ${challenge}` : `crowdai logs ${id}`;
}

interface Around {
  challenge: PublicChallenge | null;
  total: number | null;
}

/** Reads the titles of the scores and the number of ranked participants; null for what could not be read. */
async function readAround(http: HttpClient, submission: Submission, signal: AbortSignal): Promise<Around> {
  if (submission.score === null) return { challenge: null, total: null };
  const path = `/api/v1/challenges/${encodeURIComponent(submission.challenge)}`;
  const [challenge, { total }] = await Promise.all([
    http.get(path, challengeSchema).catch(() => null),
    readStanding(http, submission, signal),
  ]);
  return { challenge, total };
}

function rowsOf(s: Submission, { challenge, total }: Around, { style }: Terminal): LabeledRow[] {
  const color =
    { graded: style.green, failed: style.red, cancelled: style.yellow }[s.state as string] ?? style.cyan;
  return [
    ["Submission", `${style.bold(s.id)} (number ${s.number})`],
    ["Challenge", `${s.challenge}, round ${s.round}${s.post_challenge ? ", after the end" : ""}`],
    ["Member", s.member],
    ["State", color(s.state)],
    ...scoreRows(s, challenge).map(([label, value]): LabeledRow => [label, value && style.bold(value)]),
    ...rankRows(s, total),
    ["Selected", s.selected ? "for the final ranking" : null],
    ["Evaluator", s.grading_message],
    ["Queue position", s.place === null ? null : String(s.place)],
    ["Expected start", s.expected_at && startText(s.expected_at)],
    ["Graders", s.graders === null ? null : String(s.graders)],
    ["Waiting", s.waiting],
    ["Error", s.error && errorText(s.error, style)],
    ["Message", s.message],
    ["Input", s.input && inputText(s.input)],
    ["Input SHA-256", ["code", "session"].includes(s.input?.kind ?? "") ? null : s.input?.sha256],
    ["Command", s.run && commandText(s.run.command)],
    ...(s.run ? stageRows(s.run) : []),
    ["Box", s.run && [s.run.sandbox, ...s.run.enforced].join("\n")],
    ...(s.environment ? playedRows(s.environment) : []),
    ["Submitted", timeText(s.created_at)],
    ["Sealed", s.sealed_at && `${timeText(s.sealed_at)} by the clock of that machine`],
    ["Finished", s.finished_at && timeText(s.finished_at)],
    ["Slot", s.slot],
    ["Attempts", s.attempt > 1 ? String(s.attempt) : null],
    ["Data", s.data === null || s.data === undefined ? null : stringifyExact(s.data)],
    ["Code", s.code && codeText(s.code)],
    ["Disqualified", s.disqualified && `since ${timeText(s.disqualified.at)}: ${s.disqualified.reason}`],
    ["Published", publishedText(s)],
    ...mediaRows(s),
    ...s.artifacts.map(
      (file): LabeledRow => [capitalized(file.kind), `${file.name}, ${sizeText(file.size)}`],
    ),
    ["Page", s.url],
  ];
}

function inputText({ kind, name, size }: NonNullable<Submission["input"]>): string {
  if (kind === "session") return "session of a remote agent";
  return `${kind === "code" ? "code" : (name ?? "JSON value")}, ${sizeText(size)}`;
}

function errorText({ code, message, next }: NonNullable<Submission["error"]>, style: Style): string {
  return `${style.red(code)}: ${message}${next ? `\n${next}` : ""}`;
}

function codeText({ state, tag, url }: NonNullable<Submission["code"]>): string {
  if (state === "awaited") return "not received yet";
  if (state === "missing") return "never received";
  return tag === null ? "received; it is committed when the submission is graded" : `${tag} in ${url}`;
}

function publishedText({ code, publish, published_at }: Submission): string | null {
  if (published_at !== null) return timeText(published_at);
  if (publish) return "when the challenge closes";
  return code ? "no" : null;
}

const MEDIA: Partial<Record<string, string>> = { image: "Image", video: "Video", audio: "Audio" };

function mediaRows({ media, media_dropped: dropped }: Submission): LabeledRow[] {
  return [
    [MEDIA[media?.type.split("/")[0] ?? ""] ?? "Media", media && `${media.large} (${media.type})`],
    ["Thumbnail", media?.thumbnail],
    ["Preview", media?.preview],
    ["No media", dropped],
  ];
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
