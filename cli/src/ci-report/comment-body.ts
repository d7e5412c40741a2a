import type { End, Facts } from "../commands/submission/facts.ts";
import type { CommentTarget } from "./comment-target.ts";
import { codeText, linkText } from "./markdown.ts";
import { reportText } from "./report-text.ts";
import type { Result } from "./result.ts";

/** GitHub takes 65,536 characters. */
const MAX_COMMENT = 65_000;
const MAX_ENTRIES = 100;
const HISTORY = /<!-- crowdai-history (\S*) -->/;

/** An earlier outcome, kept in the comment itself. */
interface Entry {
  commit: string | null;
  id: string | null;
  url: string | null;
  score: number | null;
  rank: number | null;
  status: string;
}

/**
 * Returns the first line of a comment, by which the next run of the job finds it. Each challenge, job and
 * label has a comment of its own.
 */
export function commentMarker(
  { submission, challenge }: Facts,
  command: string,
  { jobName, label }: Pick<CommentTarget, "jobName" | "label">,
): string {
  const kind = command === "evaluate" ? "evaluate" : "submit";
  const name = submission?.challenge ?? challenge?.id ?? "";
  const words = [kind, escaped(name), ...(jobName || label ? [escaped(jobName ?? "")] : [])];
  return `<!-- ${["crowdai-report", ...words, ...(label ? [escaped(label)] : [])].join(" ")} -->`;
}

/** Returns a text as one word that cannot end an HTML comment. */
const escaped = (text: string) => encodeURIComponent(text.toWellFormed()).replaceAll("-", "%2D");

/**
 * Returns the text of the comment; `earlier` is its present text. The oldest outcomes are left out where it
 * would be too long.
 */
export function commentBody(
  marker: string,
  { facts, end, result, target }: { facts: Facts; end: End; result: Result; target: CommentTarget },
  earlier: string | null,
): string {
  const report = reportText(facts, end);
  const { commit, label } = target;
  const from = [commit && `Commit ${codeText(commit)}`, jobText(target), label && codeText(label)];
  const head = [marker, report, from.filter(Boolean).join(" · ")].filter(Boolean).join("\n");
  const { id, url, score, rank, status } = result;
  const entries = [{ commit: target.commit, id, url, score, rank, status }, ...readHistory(earlier)];
  for (let count = Math.min(entries.length, MAX_ENTRIES); count > 0; count--) {
    const body = head + historyText(entries.slice(0, count));
    if (body.length <= MAX_COMMENT) return body;
  }
  return head;
}

function jobText({ job, jobName }: CommentTarget): string | null {
  if (job === null) return jobName && codeText(jobName);
  return linkText(jobName ?? "job", job);
}

function historyText(entries: readonly Entry[]): string {
  const data = Buffer.from(JSON.stringify(entries)).toString("base64url");
  const rows = entries.slice(1).map(({ commit, id, url, score, rank, status }) => {
    const cells = [commit && codeText(commit), id && linkText(id, url), score ?? codeText(status), rank];
    return `| ${cells.map((cell) => cell ?? "").join(" | ")} |`;
  });
  const table = ["| Commit | Submission | Score | Rank |", "| --- | --- | ---: | ---: |", ...rows].join("\n");
  const earlier = `\n\n<details><summary>Earlier submissions</summary>\n\n${table}\n\n</details>`;
  return `${rows.length > 0 ? earlier : ""}\n\n<!-- crowdai-history ${data} -->\n`;
}

/** Returns the outcomes in a comment; none if they were changed by hand to something else. */
function readHistory(body: string | null): Entry[] {
  try {
    const data = JSON.parse(Buffer.from(HISTORY.exec(body ?? "")?.[1] ?? "", "base64url").toString());
    return Array.isArray(data) ? data.flatMap(entryOf) : [];
  } catch {
    return [];
  }
}

function entryOf(value: unknown): Entry[] {
  if (typeof value !== "object" || value === null) return [];
  const one = value as Record<string, unknown>;
  const text = (key: string) => (typeof one[key] === "string" ? (one[key] as string).slice(0, 300) : null);
  const number = (key: string) => (typeof one[key] === "number" ? (one[key] as number) : null);
  return [
    {
      commit: text("commit"),
      id: text("id"),
      url: text("url"),
      score: number("score"),
      rank: number("rank"),
      status: text("status") ?? "",
    },
  ];
}
