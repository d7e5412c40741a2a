import { type Submission, stringifyExact } from "@crowdai/shared";
import type { End, Facts, ReportedAnswer } from "../commands/submission/facts.ts";
import { rankText, scoreRows } from "../commands/submission/score-rows.ts";
import { slotLine, withoutSlot } from "../terminal/slot-line.ts";
import { slotsText } from "../terminal/slots-text.ts";
import { codeText, cut, factTable, linkText, titleText } from "./markdown.ts";

/** Far below what GitHub accepts in a comment: 65,536 characters. GitLab accepts more. */
export const MAX_REPORT = 60_000;

/**
 * Returns the report in Markdown, for a job summary and for comments: a heading, the score or the reason why
 * there is none, and tables. Rows that do not fit into `limit` characters are left out; the score never is.
 */
export function reportText(facts: Facts, end: End, limit = MAX_REPORT): string {
  const { submission, challenge, answers } = facts;
  const name = submission?.challenge ?? challenge?.id ?? null;
  const head = [`### crowdAI${name ? `: ${titleText(name)}` : ""}`, outcomeLine(facts, end)];
  if (end.error && end.exitCode !== 0) {
    const { details, message, next } = end.error;
    const slot = slotLine(details, message);
    if (slot !== null) head.push(titleText(slot));
    const then = next && slot !== null ? withoutSlot(next) : next;
    if (then) head.push(codeText(then, 1000));
  }
  if (submission) head.push(factTable(submissionRows(submission, facts)));
  const text = head.filter(Boolean).join("\n\n");
  return `${answers ? `${text}\n\n${answerTable(answers, limit - text.length - 4)}` : text}\n`;
}

function outcomeLine(facts: Facts, { error, exitCode }: End): string {
  const { submission, answers, dryRun, checked } = facts;
  const score = submission && scoreText(facts);
  const problem = error && `❌ **${titleText(error.code)}**: ${codeText(error.message, 4000)}`;
  if (score) return problem ? `${score}\n\n${problem}` : score;
  if (problem) return problem;
  if (answers?.length === 1 && answers[0]?.ok && answers[0].score !== null)
    return `**Score: ${answers[0].score}**`;
  if (answers) return `**${answers.filter(({ ok }) => ok).length} of ${answers.length} answers**`;
  if (dryRun) return "Dry run. Nothing was sent.";
  if (checked) return "The input passes the check. No slot was charged.";
  if (submission) return `Submission ${codeText(submission.id)} is ${titleText(submission.state)}.`;
  return exitCode === 0 ? "Done." : `❌ Exit code ${exitCode}`;
}

/** Returns such as `**Accuracy: 0.980** · rank 2 of 17 (up 2)`. */
function scoreText({ submission, challenge, ranked }: Facts): string | null {
  if (submission === null || submission.score === null) return null;
  const [title, value] = scoreRows(submission, challenge)[0]!;
  const rank = rankText(submission, ranked);
  return `**${titleText(title)}: ${value}**${rank === null ? "" : ` · rank ${rank}`}`;
}

function submissionRows(submission: Submission, { challenge, file, limits }: Facts) {
  const [title, secondary = null] = scoreRows(submission, challenge)[1]!;
  const code = (text: string | null) => (text ? codeText(text) : null);
  return [
    ["Submission", linkText(submission.id, submission.url)],
    ["State", titleText(submission.state)],
    [titleText(title), secondary],
    ["Round", code(submission.round)],
    ["Input", code(submission.input?.name ?? file)],
    ["Message", code(submission.message)],
    ["Evaluator", code(submission.grading_message)],
    ["Submissions left", limits?.limit ? titleText(slotsText(limits)) : null],
  ] as const;
}

function answerTable(answers: readonly ReportedAnswer[], room: number): string {
  const lines = ["| | Answer | Score |", "| ---: | --- | ---: |"];
  let left = room - lines.join("\n").length - 80;
  for (const [index, answer] of answers.entries()) {
    const line = `| ${index + 1} | ${answerText(answer)} | ${answer.ok ? (answer.score ?? "") : ""} |`;
    left -= line.length + 1;
    if (left < 0) return [...lines, "", `${answers.length - index} more answers are not shown.`].join("\n");
    lines.push(line);
  }
  return lines.join("\n");
}

function answerText(answer: ReportedAnswer): string {
  if (!answer.ok) return `❌ ${codeText(`${answer.error.code}: ${answer.error.message}`)}`;
  if (answer.data === null || answer.data === undefined)
    return answer.message ? codeText(answer.message) : "";
  return codeText(cut(stringifyExact(answer.data), 1000));
}
