import { shownPath } from "../../git/byte-path.ts";
import { placeOf } from "../../snapshot/filters/check-content.ts";
import type { CodeOutcome } from "../../snapshot/send/code-outcome.ts";
import type { Snapshot } from "../../snapshot/take-snapshot.ts";
import type { ChosenCode } from "../../submit/choose-code.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { sizeText } from "../../terminal/size.ts";
import type { Terminal } from "../../terminal/terminal.ts";

const MAX_NAMED = 5;

/** Shows which code is included, before it is sent. */
export function reportCode(terminal: Terminal, snapshot: Snapshot, { because }: ChosenCode): void {
  const { files, bytes, folder, leftOut, notes, findings } = snapshot;
  const why =
    because === "required" ? " This challenge requires the code. Use --dry-run to list what is sent." : "";
  terminal.note(`Code: ${files.length} files, ${sizeText(bytes)}, from ${plainLine(folder)}.${why}`);
  for (const { path, reason } of leftOut.slice(0, MAX_NAMED))
    terminal.note(`  Excluded: ${plainLine(shownPath(path))} (${reason})`);
  if (leftOut.length > MAX_NAMED)
    terminal.note(`  ${leftOut.length - MAX_NAMED} more files are excluded. Use --dry-run to list them.`);
  for (const note of notes) terminal.note(`  ${plainLine(note)}`);
  for (const finding of findings)
    terminal.warn(`${plainLine(placeOf(finding))} may contain a secret (${finding.what}) and is included.`);
}

/** Warns if the broker does not have the code. The submission and its grade are not affected. */
export function reportCodeOutcome(terminal: Terminal, outcome: CodeOutcome | null): void {
  if (!outcome || outcome.state === "stored") return;
  const { id, reason } = outcome;
  if (outcome.state === "refused")
    terminal.warn(
      `${outcome.by === "broker" ? "The broker" : "A proxy"} refused the code of ${id}: ${plainLine(reason)}. The submission itself is not affected.`,
    );
  else
    terminal.warn(
      `The code of ${id} was not sent: ${plainLine(reason)}. The submission itself is not affected. ${
        outcome.final
          ? `This machine could not store the code: if the challenge requires it, run \`crowdai cancel ${id}\` and submit again.`
          : `Run \`crowdai watch ${id}\` to send the code again.`
      }`,
    );
}
