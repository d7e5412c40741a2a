import { mark, markNumbers, unmark, unmarkText } from "./marked-numbers.ts";
import { changesText, changesValue } from "./number-text.ts";

const BRAND = Symbol.for("crowdai.ExactNumber");
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Makes JSON.stringify write a text as it is. Missing in Node.js 20. */
const rawJson = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON;

/**
 * A number of a JSON text that a JavaScript number would change, such as an integer beyond 2^53. `String`
 * returns its digits, `BigInt` the value of an integer, and JSON.stringify writes the digits (Node.js 20
 * writes them as a string).
 *
 * @example
 * const [answer] = await challenge.evaluate([{ tweet_id: 1460323737035677698n }]);
 * console.log(String((answer.data as { tweet_id: unknown }).tweet_id));
 */
export class ExactNumber {
  /** The number as the JSON text has it. */
  readonly text: string;

  constructor(text: string) {
    if (!NUMBER.test(text)) throw new TypeError("The text is not a JSON number.");
    this.text = text;
  }

  get [BRAND](): true {
    return true;
  }

  toString(): string {
    return this.text;
  }

  valueOf(): number | bigint {
    return /^-?\d+$/.test(this.text) ? BigInt(this.text) : Number(this.text);
  }

  toJSON(): unknown {
    return rawJson ? rawJson(this.text) : this.text;
  }
}

/**
 * Recognizes the exact numbers of every copy of this module: a broker and its own grader are bundled
 * separately.
 */
export function isExactNumber(value: unknown): value is ExactNumber {
  return typeof value === "object" && value !== null && BRAND in value;
}

/**
 * The numbers that are parsed as exact ones: those whose value would change; `"all"` that JSON.stringify
 * would write otherwise, such as 1.0; or the latter only below properties named `data`.
 */
export type Exactness = "values" | "all" | "data";

/** Parses JSON text as JSON.parse does, without changing a number. */
export function parseExact(text: string, exactness: Exactness = "values"): unknown {
  const value: unknown = JSON.parse(text);
  const marked = markNumbers(text, exactness === "values" ? changesValue : changesText);
  if (marked === null) return value;
  return unmark(JSON.parse(marked), (literal, path) => {
    // Not marked here: the caller has marked what is not finite.
    if (!Number.isFinite(Number(literal))) return mark(literal);
    const isExact = exactness !== "data" || path.includes("data") || changesValue(literal);
    return isExact ? new ExactNumber(literal) : Number(literal);
  });
}

/** Writes JSON as JSON.stringify does, on every runtime with all digits of exact numbers. */
export function stringifyExact(value: unknown, indent?: number): string {
  if (rawJson) return JSON.stringify(value, null, indent);
  const marked = JSON.stringify(
    value,
    function (this: Record<string, unknown>, name, plain) {
      const item = this[name];
      return isExactNumber(item) ? mark(item.text) : plain;
    },
    indent,
  ) as string | undefined;
  return marked === undefined ? (marked as never) : unmarkText(marked);
}

/** Whether JSON.stringify writes exact numbers, so that code which does not know of them may write them. */
export const writesExactNumbers = rawJson !== undefined;
