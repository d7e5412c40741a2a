/** A mutant that no test notices, and why none has to. */
export interface NamedSurvivor {
  file: string;
  /** The line of the source, without indentation. */
  source: string;
  /** As `npm run mutate` prints it. */
  change: string;
  because: string;
}

/** Several of one line with the same reason. */
function same(file: string, source: string, because: string, changes: readonly string[]): NamedSurvivor[] {
  return changes.map((change) => ({ file, source, change, because }));
}

const CHECK_ACTION = "grader/src/environment/check-action.ts";

/** Each was looked at. `npm run mutate` fails where one of them is not a survivor any more. */
export const SURVIVORS: readonly NamedSurvivor[] = [
  ...same(
    CHECK_ACTION,
    'if (typeof value !== "object" || value === null) return null;',
    "null has no names to look at; the compiler asks for the comparison",
    ["value === null → false"],
  ),
  ...same(
    CHECK_ACTION,
    "if (Array.isArray(value)) {",
    "a faster way through long lists, with the result of the way through objects",
    [
      "Array.isArray(value) → false",
      '{ for (let i = 0; i < value.length; i++) { const item = value[i]; if (typeof item === "number") { if … → {}',
    ],
  ),
  ...same(
    CHECK_ACTION,
    "for (let i = 0; i < value.length; i++) {",
    "undefined follows, and counts as a text",
    ["i < value.length → i <= value.length"],
  ),
  ...same(CHECK_ACTION, '} else if (typeof item === "object") {', "saves a call for each text", [
    'typeof item === "object" → true',
  ]),
  ...same(
    "grader/src/environment/referee.ts",
    "if (text.length > MAX_STEP_BYTES / 3 && Buffer.byteLength(text) > MAX_STEP_BYTES) {",
    "saves counting the bytes of a short text",
    [
      "text.length > MAX_STEP_BYTES / 3 → true",
      "text.length > MAX_STEP_BYTES / 3 → text.length >= MAX_STEP_BYTES / 3",
    ],
  ),
];
