import type { Submission } from "@crowdai/shared";
import { shownPath } from "../../git/byte-path.ts";
import type { CodeOutcome } from "../../snapshot/send/send-code.ts";
import type { Snapshot } from "../../snapshot/take-snapshot.ts";
import type { ChosenCode } from "../../submit/choose-code.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { sizeText } from "../../terminal/size.ts";
import type { Terminal } from "../../terminal/terminal.ts";

const MAX_NAMED = 5;

/** Says what goes along, before it goes. */
export function reportCode(terminal: Terminal, snapshot: Snapshot, { because }: ChosenCode): void {
  const { files, bytes, folder, leftOut, notes, findings } = snapshot;
  const why =
    because === "required"
      ? " The challenge asks for it; what goes is listed by --dry-run, and nothing is sent with --no-code."
      : "";
  terminal.note(`Code: ${files.length} files, ${sizeText(bytes)}, of ${plainLine(folder)}.${why}`);
  for (const { path, reason } of leftOut.slice(0, MAX_NAMED))
    terminal.note(`  left out: ${plainLine(shownPath(path))} (${reason})`);
  if (leftOut.length > MAX_NAMED)
    terminal.note(`  and ${leftOut.length - MAX_NAMED} more; --dry-run lists them`);
  for (const note of notes) terminal.note(`  ${plainLine(note)}`);
  for (const { path, line, what } of findings)
    terminal.warn(`${plainLine(path)}:${line} may hold a secret (${what}) and goes along.`);
}

/** Says where the broker does not have the code. The submission and its grade stand. */
export function reportCodeOutcome(terminal: Terminal, outcome: CodeOutcome | null): void {
  if (!outcome || outcome.state === "stored") return;
  const { id, reason, state } = outcome;
  if (state === "refused")
    terminal.warn(
      `The broker did not take the code of ${id}: ${plainLine(reason)}. The submission itself stands.`,
    );
  else
    terminal.warn(
      `The code of ${id} was not sent: ${plainLine(reason)}. The submission itself stands; send the code again with \`crowdai watch ${id}\`.`,
    );
}

/** The submission as it is once its code has arrived. */
export function withOutcome<T extends Submission>(submission: T, outcome: CodeOutcome | null): T {
  const { code } = submission;
  if (code?.state !== "awaited" || outcome?.state !== "stored") return submission;
  return { ...submission, code: { ...code, state: "stored" } };
}

/** What would go along, for --dry-run. */
export interface CodePlan {
  folder: string;
  files: { path: string; size: number }[];
  bytes: number;
  left_out: { path: string; reason: string }[];
  notes: string[];
  findings: Snapshot["findings"];
  head: string;
  branch: string | null;
  dirty: Snapshot["dirty"];
  publish: boolean;
}

export function planCode(snapshot: Snapshot, publish: boolean): CodePlan {
  const { folder, files, bytes, leftOut, notes, findings, head, branch, dirty } = snapshot;
  return {
    folder,
    files: files.map(({ path, size }) => ({ path: shownPath(path), size })),
    bytes,
    left_out: leftOut.map(({ path, reason }) => ({ path: shownPath(path), reason })),
    notes,
    findings,
    head,
    branch,
    dirty,
    publish,
  };
}

export function codeLines(plan: CodePlan | null): string[] {
  if (!plan) return ["No code goes along."];
  const { files, bytes, left_out, notes, findings, publish } = plan;
  const state =
    plan.head === "none" ? "" : `; HEAD ${plan.head}${plan.dirty === "yes" ? " with changes" : ""}`;
  return [
    `Code of ${plainLine(plan.folder)} goes along${state}:`,
    ...files.map(({ path, size }) => `  ${plainLine(path)}  ${sizeText(size)}`),
    `  ${files.length} files, ${sizeText(bytes)} (${bytes} bytes)`,
    ...left_out.map(({ path, reason }) => `  left out: ${plainLine(path)} (${reason})`),
    ...findings.map(({ path, line, what }) => `  may hold a secret: ${plainLine(path)}:${line} (${what})`),
    ...notes.map((note) => `  ${plainLine(note)}`),
    ...(publish ? ["  It may be published when the challenge closes."] : []),
  ];
}
