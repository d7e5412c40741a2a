import { parseExact } from "@crowdai/shared";
import { Decoder, Encoder } from "socket.io-parser";

function tryParse(text: string): unknown {
  try {
    return parseExact(text, "data");
  } catch {
    return false;
  }
}

class ExactDecoder extends Decoder {
  constructor() {
    super();
    Object.assign(this, { tryParse });
  }
}

/** The parser of socket.io, which does not change the numbers of submitted data. */
export const exactParser = { Encoder, Decoder: ExactDecoder };
