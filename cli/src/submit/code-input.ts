import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";
import type { Snapshot } from "../snapshot/take-snapshot.ts";
import type { SubmissionInput } from "./submission-input.ts";

/**
 * Returns the command that runs the code: the challenge's own, or that of the participant. Throws
 * code_invalid when the challenge leaves it to the participant, who names none.
 */
export function runCommand(challenge: PublicChallenge, own: readonly string[] | null): readonly string[] {
  const command = commandOf(challenge) ?? own;
  if (command) return command;
  throw new CrowdaiError("code_invalid", `${challenge.id} needs to know how your code is run.`, {
    next: 'Name the command in crowdai.json: { "code": { "command": ["python3", "main.py"] } }',
  });
}

/** The command that the challenge itself names. */
function commandOf({ run, environment }: PublicChallenge): readonly string[] | null {
  return run?.command ?? environment?.command ?? null;
}

/** Offers the code itself as the submission. Throws code_invalid. */
export function inputOfCode(
  challenge: PublicChallenge,
  { tree }: Pick<Snapshot, "tree">,
  own: readonly string[] | null,
): SubmissionInput {
  const command = [...runCommand(challenge, own)];
  const isOwn = commandOf(challenge) === null;
  return {
    input: { kind: "code", command: isOwn ? command : null },
    source: null,
    // The same files run with another command are another submission.
    sha256: [tree, ...(isOwn ? command : [])].join("\n"),
    path: null,
  };
}
