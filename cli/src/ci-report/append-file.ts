import { constants } from "node:fs";
import { open } from "node:fs/promises";

export interface AppendOptions {
  /** The file stays as it is if it would become larger than this. */
  maxBytes: number;
}

/**
 * Appends a text as lines of its own to a file that the CI system reads. Throws if it cannot, without having
 * written a part.
 */
export async function appendLines(path: string, text: string, { maxBytes }: AppendOptions): Promise<void> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NONBLOCK = 0 } = constants;
  // A pipe without a reader would block.
  const file = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK, 0o644);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error("it is not a regular file");
    const last = Buffer.alloc(1);
    if (facts.size > 0) await file.read(last, 0, 1, facts.size - 1);
    const bytes = Buffer.from(facts.size > 0 && last[0] !== 10 ? `\n${text}` : text);
    if (facts.size + bytes.length > maxBytes)
      throw new Error(`it would become larger than ${maxBytes} bytes`);
    await file.write(bytes);
  } finally {
    await file.close();
  }
}
