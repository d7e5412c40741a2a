import { createHash } from "node:crypto";
import {
  CrowdaiError,
  type Intent,
  lineProblem,
  MAX_INLINE_BYTES,
  quoted,
  toJsonText,
} from "@crowdai/shared";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";

export type DescribedInput = Pick<
  SubmissionRow,
  "input_kind" | "input_name" | "input_size" | "input_sha256" | "input_data"
>;

/**
 * Returns the columns that describe an input. Throws message_too_large for an inline value above
 * MAX_INLINE_BYTES, and usage for a name that does not read as it is written.
 */
export function describeInput({ input, code }: Pick<Intent, "input" | "code">): DescribedInput {
  if (input.kind === "code")
    return {
      input_kind: "code",
      input_name: null,
      input_size: code?.bytes ?? 0,
      input_sha256: createHash("sha256")
        .update(code?.tree ?? "")
        .digest("hex"),
      input_data: JSON.stringify(input.command),
    };
  if (input.kind === "session")
    return {
      input_kind: "session",
      input_name: null,
      input_size: 0,
      input_sha256: createHash("sha256").digest("hex"),
      input_data: null,
    };
  if (input.kind !== "inline") {
    requirePlainName(input.name);
    return {
      input_kind: input.kind,
      input_name: input.name,
      input_size: input.size,
      input_sha256: input.sha256,
      input_data: null,
    };
  }
  const text = toJsonText(input.data);
  const size = Buffer.byteLength(text);
  if (size > MAX_INLINE_BYTES)
    throw new CrowdaiError(
      "message_too_large",
      `An inline value may have at most ${MAX_INLINE_BYTES} bytes; this one has ${size}.`,
    );
  return {
    input_kind: "json",
    input_name: null,
    input_size: size,
    input_sha256: createHash("sha256").update(text).digest("hex"),
    input_data: text,
  };
}

/** The name is stored, shown and given to evaluators. */
function requirePlainName(name: string | null): void {
  const problem = name === null ? null : lineProblem(name);
  if (problem !== null)
    throw new CrowdaiError("usage", `The file name ${quoted(name as string)} is not accepted: ${problem}.`, {
      next: "Rename the file.",
    });
}

/**
 * Throws id_conflict unless the known submission is the same one, sent again. Code that is the submission may
 * be another snapshot: whether it may replace the known one depends on whether that has arrived.
 */
export function requireSame(
  caller: Caller,
  intent: Pick<Intent, "id" | "challenge" | "function" | "dry_run"> & Partial<Pick<Intent, "code">>,
  input: DescribedInput,
  row: SubmissionRow,
): void {
  const same =
    row.participant_id === caller.id &&
    row.challenge === intent.challenge &&
    row.function === intent.function &&
    row.dry_run === (intent.dry_run ? 1 : 0) &&
    row.input_kind === input.input_kind &&
    (isSameContent(input, row) || (input.input_kind === "code" && !!intent.code));
  if (!same) throw idTaken(intent.id);
}

/** Returns whether an input is the submission's own. Of code, the command belongs to it. */
export function isSameContent(input: DescribedInput, row: SubmissionRow): boolean {
  return (
    row.input_sha256 === input.input_sha256 &&
    row.input_size === input.input_size &&
    (input.input_kind !== "code" || row.input_data === input.input_data)
  );
}

export const idTaken = (id: string): CrowdaiError =>
  new CrowdaiError("id_conflict", `The id "${id}" was already used for something else.`);
