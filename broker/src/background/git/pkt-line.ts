import { CrowdaiError } from "@crowdai/shared";

export const FLUSH = Buffer.from("0000");

/** Most bytes of a line with its length, by git's protocol. */
const LONGEST = 65_520;

/** A line of git's protocol: its length in four hexadecimal digits, then itself. */
export function packetLine(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** The same on a side band: 1 is the answer, 2 is told to the person as `remote: …`. */
export function sideBand(band: 1 | 2, data: string | Uint8Array): Buffer {
  return packetLine(Buffer.concat([Buffer.from([band]), Buffer.from(data)]));
}

/** Reads a body piece by piece: lines first, then the rest as it comes. */
export interface PacketReader {
  /** The next line; null for a flush. Throws usage for what is no line, and for a body that ends here. */
  line(): Promise<Buffer | null>;
  rest(): AsyncIterable<Uint8Array>;
}

export function createPacketReader(body: AsyncIterable<Uint8Array>): PacketReader {
  const chunks = body[Symbol.asyncIterator]();
  let kept: Buffer = Buffer.alloc(0);

  async function take(length: number): Promise<Buffer> {
    while (kept.length < length) {
      const { value, done } = await chunks.next();
      if (done) throw new CrowdaiError("usage", "The request ends in the middle of a line.");
      kept = Buffer.concat([kept, value]);
    }
    const taken = kept.subarray(0, length);
    kept = kept.subarray(length);
    return taken;
  }

  return {
    async line() {
      const digits = (await take(4)).toString("latin1");
      const length = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
      if (length === 0) return null;
      if (length < 4 || length > LONGEST)
        throw new CrowdaiError("usage", "The request is not in git's protocol.");
      return take(length - 4);
    },
    async *rest() {
      if (kept.length > 0) yield kept;
      kept = Buffer.alloc(0);
      for (;;) {
        const { value, done } = await chunks.next();
        if (done) return;
        yield value;
      }
    },
  };
}
