import { type Job, parseExact } from "@crowdai/shared";
import { type ChallengeConfig, graderGetsCode, roundNumber } from "@crowdai/shared/challenge-folder";
import type { SubmissionCodeRow, SubmissionRow } from "../../records/tables.ts";
import type { ServedChallenge } from "../challenges/catalog.ts";
import { replayedBy } from "../environments/replayed-session.ts";
import type { SeedsOf } from "../environments/session-seeds.ts";

/** Creates the job of one attempt at a submission, to be graded with the given challenge. */
export function createJob(
  row: SubmissionRow & Pick<SubmissionCodeRow, "tree_key" | "tree_size" | "tree_sha256">,
  attempt: number,
  { config, version, bundle }: Pick<ServedChallenge, "config" | "version" | "bundle">,
  seedsOf: SeedsOf,
): Job {
  const replayed = config.environment && replayedBy(row);
  return {
    submission: row.id,
    attempt,
    challenge: row.challenge,
    function: row.function,
    round: numberOf(config, row.round),
    dry_run: row.dry_run === 1,
    input: replayed ? { kind: "session", replay: replayed.log } : inputOf(row, config),
    code:
      (row.input_kind === "code" || graderGetsCode(config)) &&
      row.input_kind !== "session" &&
      row.tree_key !== null
        ? { key: row.tree_key, size: row.tree_size as number, sha256: row.tree_sha256 as string }
        : null,
    version: bundle ? version : null,
    bundle,
    ...(config.environment && { seeds: seedsOf(config, { ...row, id: replayed?.submission ?? row.id }) }),
    fair_key: String(row.participant_id),
  };
}

function inputOf(
  row: SubmissionRow,
  { run, environment }: Pick<ChallengeConfig, "run" | "environment">,
): Job["input"] {
  if (row.input_kind === "code") {
    const { command } = run ?? environment?.code ?? {};
    return { kind: "code", command: command === "submission" ? commandOf(row) : null };
  }
  if (row.input_kind === "session") return { kind: "session", replay: null };
  if (row.input_data !== null) return { kind: "inline", data: parseExact(row.input_data, "all") };
  return {
    kind: row.input_kind,
    key: row.input_key as string,
    name: row.input_name,
    size: row.input_size,
    sha256: row.input_sha256,
  };
}

/** Returns the command that the participant named with the code. */
const commandOf = ({ input_data }: Pick<SubmissionRow, "input_data">): string[] | null =>
  input_data === null ? null : JSON.parse(input_data);

/**
 * A round that was removed from challenge.json while its submissions wait must not block the other
 * submissions.
 */
function numberOf(config: ChallengeConfig, round: string): number {
  return config.rounds.some(({ id }) => id === round) ? roundNumber(config, round) : config.rounds.length + 1;
}
