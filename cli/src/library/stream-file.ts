import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";
import { abortable, throwIfAborted } from "../async/abort.ts";
import { writing } from "../config/file-unwritable.ts";
import { checkInput } from "../submit/check-input.ts";
import { bytesOfRows } from "./rows.ts";
import type { StreamInput } from "./stream-input.ts";

/**
 * Writes a stream to a file of its own and calls `use` with it; the file is gone afterwards. The digest of
 * all bytes is needed before the first is sent, so a stream has to be stored, and a file stores it without
 * using memory. Throws what the challenge refuses, as soon as it is known.
 */
export async function withStreamFile<T>(
  challenge: PublicChallenge,
  input: StreamInput,
  { name: given, signal }: { name?: string; signal?: AbortSignal },
  use: (path: string, name: string) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const name = given ?? nameOf(input) ?? `predictions${usualExtension(challenge)}`;
  await checkInput(challenge, { kind: "file", name, size: 0 });
  const folder = await writing(tmpdir(), () => mkdtemp(join(tmpdir(), "crowdai-stream-")));
  try {
    const path = join(folder, "input");
    await using file = await open(path, "wx", 0o600);
    let size = 0;
    for await (const bytes of bytesOfRows(pieces(input, signal), name)) {
      size += bytes.length;
      await checkInput(challenge, { kind: "file", name, size });
      await writing(path, () => file.writeFile(bytes));
    }
    if (size === 0) throw new CrowdaiError("file_empty", `${name} is empty.`);
    return await use(path, name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function nameOf(input: StreamInput): string | null {
  return "name" in input && typeof input.name === "string" && input.name !== "" ? input.name : null;
}

const ROWS = [".csv", ".ndjson", ".jsonl"];

function usualExtension({ accepts }: PublicChallenge): string {
  const extensions = accepts.file?.extensions ?? [];
  return extensions.find((extension) => ROWS.includes(extension.toLowerCase())) ?? extensions[0] ?? "";
}

/** Yields the pieces of an input until it ends or the signal is aborted, even while it waits for the next. */
async function* pieces(input: StreamInput, signal: AbortSignal | undefined): AsyncGenerator<unknown> {
  const source = (input instanceof Blob ? input.stream() : input) as AsyncIterable<unknown>;
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = iterator.next();
      const { done, value } = await abortable<IteratorResult<unknown>>((resolve, _, reject) => {
        next.then(resolve, reject);
      }, signal);
      ended = done === true;
      if (ended) return;
      yield value;
    }
  } finally {
    // Not waited for: a generator that never yields again never returns either.
    if (!ended) iterator.return?.().catch(() => {});
  }
}
