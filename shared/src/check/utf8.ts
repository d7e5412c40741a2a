/** The text of a piece; only that before the first byte that is not UTF-8 if it is not valid. */
export interface Utf8Text {
  text: string;
  isValid: boolean;
}

/**
 * Decodes UTF-8 that arrives in pieces, and keeps a byte-order mark. Nothing can be read after what is not
 * valid.
 */
export function createUtf8Splitter() {
  /** The bytes of a character that the next piece completes. */
  let begun = new Uint8Array(0);
  return {
    push(chunk: Uint8Array): Utf8Text {
      const bytes = begun.length === 0 ? chunk : joined(begun, chunk);
      const end = lengthOfWhole(bytes);
      begun = bytes.slice(end);
      const text = decode(bytes.subarray(0, end));
      return text === null ? { text: validStart(bytes), isValid: false } : { text, isValid: true };
    },
    end: (): Utf8Text => ({ text: "", isValid: begun.length === 0 }),
  };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** Returns how many bytes are whole characters: all but the beginning of one at the end. */
function lengthOfWhole(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return size > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function decode(bytes: Uint8Array, stream = false): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

/** Returns the text before the first byte that is not UTF-8. */
function validStart(bytes: Uint8Array): string {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (decode(bytes.subarray(0, middle), true) === null) bad = middle;
    else good = middle;
  }
  return decode(bytes.subarray(0, good), true) ?? "";
}
