import { type Exactness, parseExact } from "./protocol/exact-json.ts";

// biome-ignore lint/suspicious/noExplicitAny: as TypeScript wants it of a class that is extended
type Class = new (...args: any[]) => object;

/**
 * Returns the parser of socket.io that does not change the numbers of what it receives. Client and broker each bring along
 * socket.io-parser.
 */
export function exactParser({ Encoder, Decoder }: { Encoder: Class; Decoder: Class }, exactness: Exactness) {
  function tryParse(text: string): unknown {
    try {
      return parseExact(text, exactness);
    } catch {
      return false;
    }
  }

  class ExactDecoder extends Decoder {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    constructor(...args: any[]) {
      super(...args);
      Object.assign(this, { tryParse });
    }
  }
  return { Encoder, Decoder: ExactDecoder };
}
