import { type Submission, submissionSchema } from "@crowdai/shared";
import type { Context } from "../context.ts";
import { plainValue } from "../terminal/plain-text.ts";
import { startText } from "../terminal/queue-text.ts";
import { sizeText } from "../terminal/size.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { timeText } from "../terminal/time.ts";
import { submissionDocument } from "./submission/submission-document.ts";

export async function show(context: Context, args: { id: string }): Promise<number> {
  const { terminal } = context;
  await context.key();
  const path = `/api/v1/submissions/${encodeURIComponent(args.id)}`;
  const submission = await (await context.http()).get(path, submissionSchema);
  terminal.present({
    json: submissionDocument(submission),
    ndjson: [{ type: "submission", ...submissionDocument(submission) }],
    quiet: [submission.id],
    text: () => terminal.answer(describe(plainValue(submission), terminal).join("\n")),
  });

  if (submission.finished_at === null) terminal.next(`crowdai watch ${submission.id}`);
  else if (submission.artifacts.length > 0) terminal.next(`crowdai artifacts ${submission.id} --dir .`);
  else if (submission.state === "graded") terminal.next(`crowdai leaderboard ${submission.challenge}`);
  else terminal.next(`crowdai logs ${submission.id}`);
  return 0;
}

function describe(s: Submission, { style, symbols }: Terminal): string[] {
  const state =
    { graded: style.green, failed: style.red, cancelled: style.yellow }[s.state as string] ?? style.cyan;
  const rows: [string, string | null][] = [
    ["submission", `${style.bold(s.id)} (number ${s.number})`],
    ["challenge", `${s.challenge}, round ${s.round}${s.post_challenge ? ", after the challenge's end" : ""}`],
    ["state", state(s.state)],
    ["score", s.score === null ? null : style.bold(String(s.score))],
    ["secondary score", s.score_secondary === null ? null : String(s.score_secondary)],
    ["rank", s.rank === null ? null : rankText(s, symbols)],
    ["grader says", s.grading_message],
    ["place in line", s.place === null ? null : String(s.place)],
    ["expected start", s.expected_at && startText(s.expected_at)],
    ["graders", s.graders === null ? null : String(s.graders)],
    ["waits because", s.waiting],
    ["error", s.error && `${style.red(s.error.code)}: ${s.error.message}`],
    ["next", s.error?.next ?? null],
    [
      "input",
      s.input &&
        `${s.input.name ?? "JSON value"}, ${sizeText(s.input.size)}, sha256 ${s.input.sha256.slice(0, 16)}`,
    ],
    ["message", s.message],
    ["submitted", timeText(s.created_at)],
    ["finished", s.finished_at && timeText(s.finished_at)],
    ["slot", s.slot],
    ["attempts", s.attempt > 1 ? String(s.attempt) : null],
    ["data", s.data === null || s.data === undefined ? null : JSON.stringify(s.data)],
    ["code", s.code && codeText(s.code)],
    ["published", publishedText(s)],
    ...mediaRows(s),
    ...s.artifacts.map((file): [string, string] => [file.kind, `${file.name}, ${sizeText(file.size)}`]),
    ["page", s.url],
  ];
  return rows
    .filter((row): row is [string, string] => row[1] !== null && row[1] !== "")
    .map(
      ([name, value]) =>
        `${style.dim(`${name}:`.padEnd(17))}${value.replaceAll("\n", `\n${" ".repeat(17)}`)}`,
    );
}

function codeText({ state, tag, url }: NonNullable<Submission["code"]>): string {
  if (state === "awaited") return "on its way";
  if (state === "missing") return "never arrived";
  return tag === null ? "kept; its commit comes with the grade" : `${tag} in ${url}`;
}

function publishedText({ code, publish, published_at }: Submission): string | null {
  if (published_at !== null) return timeText(published_at);
  if (publish) return "when the challenge closes";
  return code ? "no" : null;
}

function mediaRows({ media, media_dropped: dropped }: Submission): [string, string | null][] {
  const what =
    { image: "picture", video: "film", audio: "sound" }[media?.type.split("/")[0] ?? ""] ?? "media";
  return [
    [what, media && `${media.large} (${media.type})`],
    ["thumbnail", media?.thumbnail ?? null],
    ["preview", media?.preview ?? null],
    ["no media", dropped],
  ];
}

function rankText(s: Submission, symbols: Terminal["symbols"]): string {
  if (s.rank_before === null || s.rank_before === s.rank) return `${s.rank}${s.best ? ", your best" : ""}`;
  const up = s.rank! < s.rank_before;
  return `${s.rank} ${up ? symbols.up : symbols.down} from ${s.rank_before}${s.best ? ", your best" : ""}`;
}
