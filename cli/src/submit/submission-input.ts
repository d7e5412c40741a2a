import {
  type IntentRequest,
  MAX_INLINE_BYTES,
  parseExact,
  parseJson,
  toJsonText,
  writesExactNumbers,
} from "@crowdai/shared";
import { type ByteSource, digestFile, type FileFacts, textSource } from "../client/upload/byte-source.ts";
import type { InputDescription } from "./check-input.ts";

/**
 * An input that is ready to be announced: its entry in the intent, and the bytes to send afterwards, if any.
 */
export interface SubmissionInput {
  input: IntentRequest["input"];
  source: ByteSource | null;
  /** Digest of the bytes, or of the value's JSON text. */
  sha256: string;
  /** Where the bytes were read from; null for a value. */
  path: string | null;
}

/** A JSON value, with the text that is sent. */
export type ValueDescription = InputDescription & { text: string };

/**
 * Describes a value of a program: typed arrays become arrays, BigInts integers. Throws value_not_finite and
 * value_not_exact with the path, value_not_json, value_too_deep.
 */
export function describeValue(value: unknown): ValueDescription {
  return described(toJsonText(value, { safeIntegers: true }));
}

/** Describes JSON text, whose numbers are sent digit by digit. Throws what `parseJson` throws. */
export function describeText(text: string, what?: string): ValueDescription {
  return described(toJsonText(parseJson(text, what, "all")));
}

function described(text: string): ValueDescription {
  return { kind: "json", name: null, size: Buffer.byteLength(text), value: parseExact(text), text };
}

/** Returns whether a value is sent in the message itself. If not, its text is sent to the object store. */
export function isInline({ text, size }: Pick<ValueDescription, "text" | "size">): boolean {
  if (size > MAX_INLINE_BYTES) return false;
  return writesExactNumbers || JSON.stringify(JSON.parse(text)) === text;
}

/**
 * Prepares a value: a small one is part of the message, the text of a large one is sent to the object store.
 */
export function inputOfValue({ text, size }: Pick<ValueDescription, "text" | "size">): SubmissionInput {
  const source = textSource(text);
  if (!isInline({ text, size })) return announce(source);
  const data = parseExact(text, "all");
  return { input: { kind: "inline", data }, source: null, sha256: source.sha256, path: null };
}

/** Prepares a file by reading it for its digest. Throws file_changed. */
export async function inputOfFile(
  facts: FileFacts,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<SubmissionInput> {
  const { path } = facts;
  return announce(
    await digestFile(facts, options),
    typeof path === "string" ? path : path.toString("latin1"),
  );
}

function announce(source: ByteSource, path: string | null = null): SubmissionInput {
  const { kind, name, size, sha256, parts } = source;
  return { input: { kind, name, size, sha256, parts }, source, sha256, path };
}
