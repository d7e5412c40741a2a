import { quoted } from "./suggest.ts";

export interface JsonError {
  /** Starts at 1, as in editors. */
  line: number;
  column: number;
  expected: string;
  /** The text found there, safe for a message. */
  got: string;
  /** Whether it is NaN or Infinity, which some languages write into JSON. */
  notFinite: boolean;
}

/**
 * Finds the first syntax error in a JSON text; null when there is none. JSON.parse decides whether a text is
 * valid. This only reports where and why, with equal messages on every runtime. It recurses, so the text's
 * depth must be limited before.
 */
export function findJsonError(text: string): JsonError | null {
  const scan = new Scan(text);
  try {
    scan.value();
    scan.space();
    return scan.ended ? null : scan.errorAt("the end of the text");
  } catch (thrown) {
    if (thrown instanceof Stop) return scan.errorAt(thrown.expected);
    throw thrown;
  }
}

class Stop {
  readonly expected: string;
  constructor(expected: string) {
    this.expected = expected;
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /(?:true|false|null)(?![\w$])/y;
const WORD = /-?[\p{L}_$][\p{L}\p{N}_$]*|./suy;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    return this.#at >= this.#text.length;
  }

  value(): void {
    this.space();
    const c = this.#text[this.#at];
    if (c === "{") this.#list("}", '"}"', () => this.#property());
    else if (c === "[") this.#list("]", '"]"', () => this.value());
    else if (c === '"') this.#string();
    else if (!this.#skip(LITERAL) && !this.#skip(NUMBER)) throw new Stop("a value");
  }

  space(): void {
    this.#skip(SPACE);
  }

  errorAt(expected: string): JsonError {
    const before = this.#text.slice(0, this.#at);
    WORD.lastIndex = this.#at;
    const word = WORD.exec(this.#text)?.[0];
    return {
      line: before.split("\n").length,
      column: this.#at - before.lastIndexOf("\n"),
      expected,
      got: word === undefined ? "the end of the text" : word === '"' ? "a double quote" : quoted(word),
      notFinite: expected === "a value" && /^-?(?:NaN|Infinity)$/.test(word ?? ""),
    };
  }

  #list(close: string, closing: string, item: () => void): void {
    this.#at++;
    this.space();
    if (this.#text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.space();
      const c = this.#text[this.#at];
      if (c !== "," && c !== close) throw new Stop(`"," or ${closing}`);
      this.#at++;
      if (c === close) return;
    }
  }

  #property(): void {
    this.space();
    if (this.#text[this.#at] !== '"') throw new Stop("a property name in double quotes");
    this.#string();
    this.space();
    if (this.#text[this.#at] !== ":") throw new Stop('":"');
    this.#at++;
    this.value();
  }

  #string(): void {
    for (this.#at++; ; ) {
      const c = this.#text.charCodeAt(this.#at);
      if (c === 0x22) {
        this.#at++;
        return;
      }
      if (c === 0x5c) {
        if (!this.#skip(ESCAPE)) throw new Stop("a valid JSON escape");
      } else if (!(c >= 0x20)) throw new Stop("the end of the string, a double quote");
      else this.#at++;
    }
  }

  /** Moves past a match at the current position. Returns whether there was one. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }
}
