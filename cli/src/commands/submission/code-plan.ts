import { shownPath } from "../../git/byte-path.ts";
import { placeOf } from "../../snapshot/filters/check-content.ts";
import type { Snapshot } from "../../snapshot/take-snapshot.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { exactSizeText, sizeText } from "../../terminal/size.ts";

/** The code that --dry-run would send. */
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

/** Returns the lines for people, the first of them a summary. */
export function codeLines(plan: CodePlan | null): string[] {
  if (!plan) return ["not included"];
  const { files, bytes, left_out, notes, findings, publish, head, dirty } = plan;
  const state = head === "none" ? "" : `, HEAD ${head}${dirty === "yes" ? " with changes" : ""}`;
  return [
    `${files.length} files, ${exactSizeText(bytes)}, from ${plainLine(plan.folder)}${state}`,
    ...files.map(({ path, size }) => `  ${plainLine(path)}  ${sizeText(size)}`),
    ...left_out.map(({ path, reason }) => `  Excluded: ${plainLine(path)} (${reason})`),
    ...findings.map((one) => `  May contain a secret: ${plainLine(placeOf(one))} (${one.what})`),
    ...notes.map((note) => `  ${plainLine(note)}`),
    ...(publish ? ["  May be published when the challenge closes"] : []),
  ];
}
