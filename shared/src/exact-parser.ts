// biome-ignore lint/suspicious/noExplicitAny: as TypeScript wants it of a class that is extended
type Class = new (...args: any[]) => object;

/**
 * Returns the parser of socket.io that parses what it receives with `parse`, such as parseExact, which
 * changes no number. Client and broker each bring along socket.io-parser.
 */
export function exactParser(
  { Encoder, Decoder }: { Encoder: Class; Decoder: Class },
  parse: (text: string) => unknown,
) {
  function tryParse(text: string): unknown {
    try {
      return parse(text);
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
