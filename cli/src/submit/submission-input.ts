import { type IntentRequest, MAX_INLINE_BYTES, toJsonText } from "@crowdai/shared";
import { type ByteSource, digestFile, type FileFacts, textSource } from "../client/upload/byte-source.ts";
import type { InputDescription } from "./check-input.ts";

/** An input that is ready to be announced: its entry in the intent, and the bytes to send afterwards, if any. */
export interface SubmissionInput {
  input: IntentRequest["input"];
  source: ByteSource | null;
  /** Digest of the bytes, or of the value's JSON text. */
  sha256: string;
  /** Where the bytes were read from; null for a value. */
  path: string | null;
}

/** Describes a JSON value; typed arrays become arrays. Throws value_not_finite with the path, value_not_json, value_too_deep. */
export function describeValue(value: unknown): InputDescription & { text: string } {
  const text = toJsonText(value);
  return { kind: "json", name: null, size: Buffer.byteLength(text), value: JSON.parse(text), text };
}

/** Prepares a value: a small one is part of the message, the text of a large one is sent to the object store. */
export function inputOfValue({
  text,
  size,
  value,
}: {
  text: string;
  size: number;
  value?: unknown;
}): SubmissionInput {
  const source = textSource(text);
  if (size > MAX_INLINE_BYTES) return announce(source);
  return { input: { kind: "inline", data: value }, source: null, sha256: source.sha256, path: null };
}

/** Prepares a file by reading it for its digest. Throws file_changed. */
export async function inputOfFile(
  facts: FileFacts,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<SubmissionInput> {
  return announce(await digestFile(facts, options), facts.path);
}

function announce(source: ByteSource, path: string | null = null): SubmissionInput {
  const { kind, name, size, sha256, parts } = source;
  return { input: { kind, name, size, sha256, parts }, source, sha256, path };
}
