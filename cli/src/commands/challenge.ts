import { challengeSchema, type PublicChallenge, type Round } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import { scopeText } from "../terminal/challenge-state.ts";
import { wrapWords } from "../terminal/cut-to-width.ts";
import { labeledLines } from "../terminal/labels.ts";
import { plainValue } from "../terminal/plain-text.ts";
import { gradersText } from "../terminal/queue-text.ts";
import { sizeText } from "../terminal/size.ts";
import type { Style } from "../terminal/style.ts";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";
import { agentsText, environmentRows } from "./submission/environment-rows.ts";
import { runRows } from "./submission/run-rows.ts";

/** Shows what a challenge says of itself. */
export async function challenge(
  { connection, terminal }: CommandContext,
  args: { id?: string },
): Promise<number> {
  const { settings } = connection;
  const id = chosenChallenge(settings, args.id);
  const found = await (await connection.http()).get(
    `/api/v1/challenges/${encodeURIComponent(id)}`,
    challengeSchema,
  );
  const next = nextOf(found, settings.challenge);
  terminal.present({
    json: { challenge: found },
    ndjson: [{ type: "challenge", challenge: found }],
    quiet: [found.id],
    text: () => {
      const text = describe(plainValue(found), terminal.style).join("\n");
      terminal.answer(terminal.width === null ? text : wrapWords(text, terminal.width).join("\n"));
    },
    next: [next],
  });
  terminal.next(next);
  return 0;
}

function nextOf(found: PublicChallenge, current: string | null): string {
  if (found.data.length > 0) return `crowdai data ${found.id}`;
  const which = current === found.id ? "" : ` -c ${found.id}`;
  if (found.environment?.agents.includes("remote")) return `crowdai run${which} -- python3 agent.py`;
  return `crowdai submit ${submitted(found, `predictions${found.accepts.file?.extensions[0] ?? ""}`)}${which}`;
}

function submitted({ run, environment, accepts }: PublicChallenge, file: string): string {
  if (run || environment) return "--code";
  return accepts.file ? file : "--json '…'";
}

function describe(found: PublicChallenge, style: Style): string[] {
  const { accepts } = found;
  const lines = [`${style.bold(found.title)} ${style.dim(`(${found.id})`)}`, style.dim(found.url)];
  if (found.description) lines.push("", found.description.trimEnd());

  if (found.closed_at !== null) lines.push("", `This challenge was closed on ${timeText(found.closed_at)}.`);
  lines.push("", style.bold("Rounds"), ...found.rounds.map((round) => `  ${describeRound(round, found)}`));
  if (found.graders !== null)
    lines.push(
      "",
      style.bold("Graders"),
      `  ${gradersText(found.graders)} connected${found.waiting ? `: ${found.waiting}` : ""}`,
    );
  lines.push("", style.bold("Scores"), `  ${describeScore(found.score)}`);
  if (found.score_secondary) lines.push(`  ${describeScore(found.score_secondary)} (secondary)`);
  if (found.final)
    lines.push(
      `  Hidden scores decide the final ranking. Select up to ${found.final.select} submissions to a round: crowdai select <id>`,
    );

  lines.push("", style.bold("Accepts"));
  if (accepts.file) {
    const endings = accepts.file.extensions.join(", ") || "any file";
    lines.push(`  File: ${endings}, up to ${sizeText(accepts.file.max_bytes)}`);
  }
  if (found.run) {
    const most = accepts.code ? `, up to ${sizeText(accepts.code.max_bytes)}` : "";
    lines.push(`  Code, which is run on private input${most}`);
  }
  if (found.environment) lines.push(`  ${agentsText(found.environment)}`);
  if (accepts.model) lines.push(`  Models: up to ${sizeText(accepts.model.max_bytes)} each`);
  if (accepts.json) {
    lines.push(`  JSON value: up to ${sizeText(accepts.json.max_bytes)}`);
    if (accepts.json.schema !== true && accepts.json.schema != null)
      lines.push(`    Schema: ${JSON.stringify(accepts.json.schema)}`);
  }
  if (found.check) lines.push("", style.bold("Check"), `  ${checkText(found.check)}`);
  if (found.run) {
    const rows = labeledLines(runRows(found.run), style).map((line) => `  ${line}`);
    lines.push("", style.bold("How the code is run"), ...rows);
  }
  if (found.environment) {
    const rows = labeledLines(environmentRows(found.environment), style).map((line) => `  ${line}`);
    lines.push("", style.bold("Environment"), ...rows);
  }
  const functions = found.functions.filter((name) => name !== "submit");
  if (functions.length > 0) lines.push("", style.bold("Functions"), `  ${functions.join(", ")}`);
  if (found.data.length > 0)
    lines.push("", style.bold("Data"), ...found.data.map((file) => `  ${file.name}  ${sizeText(file.size)}`));
  return lines;
}

/** Returns what a submission is checked for before it is graded, and what failing costs. */
function checkText({ schema, csv, function: called, charge }: NonNullable<PublicChallenge["check"]>): string {
  const parts = [
    ...(csv ? ["the format of CSV files"] : []),
    ...(schema ? ["a JSON Schema"] : []),
    ...(called ? ["the evaluator's check"] : []),
  ];
  const cost = charge ? "a submission that fails it costs a slot" : "failing it costs no slot";
  return `${parts.join(", ")}; ${cost}. Try it with \`crowdai check\`.`;
}

function describeRound(round: Round, { rounds, closed_at }: PublicChallenge): string {
  const facts = [stateText(round, closed_at !== null)];
  const scope = scopeText(round.limit, rounds.length);
  if (round.limit)
    facts.push(`${round.limit.count} submissions per ${round.limit.per}${scope ? ` (${scope})` : ""}`);
  if (round.parallel_limit !== null) facts.push(`at most ${round.parallel_limit} in parallel`);
  if (round.minimum_score !== null)
    facts.push(`requires a score of ${round.minimum_score} in the previous round`);
  // A title that contains the id, such as "Round 1", says enough.
  const name = round.title.split(/\s/).includes(round.id) ? round.title : `${round.id} ${round.title}`.trim();
  return `${name}: ${facts.join(", ")}`;
}

function stateText({ state, starts_at, ends_at }: Round, isClosed: boolean): string {
  if (isClosed) return "closed";
  if (state === "upcoming") return starts_at === null ? state : `${state}, opens on ${timeText(starts_at)}`;
  return ends_at === null ? state : `${state}, ${state === "ended" ? "ended" : "ends"} ${timeText(ends_at)}`;
}

function describeScore(score: PublicChallenge["score"]): string {
  return `${score.title}: ${score.order === "descending" ? "higher" : "lower"} is better`;
}
