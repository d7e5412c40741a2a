import { CrowdaiError } from "@crowdai/shared";

export const FLUSH = Buffer.from("0000");

/** Maximum bytes of a line including its length, by git's protocol. */
const MAX_LINE_BYTES = 65_520;

/** Encodes a line of git's protocol: its length in four hexadecimal digits, then its content. */
export function packetLine(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** Encodes a line on a side band: 1 carries the response, 2 is shown to the user as `remote: …`. */
export function sideBand(band: 1 | 2, data: string | Uint8Array): Buffer {
  return packetLine(Buffer.concat([Buffer.from([band]), Buffer.from(data)]));
}

/** Reads a body piece by piece: first lines, then the rest as it arrives. */
export interface PacketReader {
  /**
   * Returns the next line, or null for a flush. Throws usage for a malformed line and for a body that ends
   * here.
   */
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
      if (length < 4 || length > MAX_LINE_BYTES)
        throw new CrowdaiError("usage", "The request does not follow git's protocol.");
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
