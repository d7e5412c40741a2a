import fc from "fast-check";
import { TestRunner } from "vitest";

/** How many inputs each property is tried with. `npm run fuzz` asks for more. */
export const RUNS = Number(process.env.CROWDAI_FUZZ_RUNS ?? 300);
/** How long the properties of a file are tried, in all; null: as often as RUNS says. */
const FILE_SECONDS = process.env.CROWDAI_FUZZ_FILE_SECONDS;
export const IS_LONG = FILE_SECONDS !== undefined || RUNS > 1000;

const seed = process.env.CROWDAI_FUZZ_SEED;

/**
 * A property holds for every input; a failure prints the smallest input that was found, and its seed. Of a
 * property that costs more than a parser, only a share of the inputs is tried. A test asks for one property:
 * tests of a file share its time.
 */
export async function holds(property: fc.IAsyncProperty<unknown[]> | fc.IProperty<unknown[]>, share = 1) {
  const check = (numRuns: number, seed?: number) =>
    fc.assert(property as fc.IAsyncProperty<unknown[]>, {
      numRuns: Math.max(1, Math.round(numRuns * share)),
      ...(seed === undefined ? {} : { seed }),
    });
  if (FILE_SECONDS === undefined) return check(RUNS, seed === undefined ? undefined : Number(seed));
  // In rounds of a seed each: the inputs do not depend on how fast the machine is.
  const end = performance.now() + (Number(FILE_SECONDS) * 1000) / testsOfFile();
  let round = 0;
  for (; performance.now() < end; round++) await check(100, Number(seed) + round);
  console.log(`${TestRunner.getCurrentTest()?.name}: ${Math.max(1, Math.round(100 * share)) * round} inputs`);
}

function testsOfFile(): number {
  const count = (tasks: readonly { type: string; tasks?: never[] }[]): number =>
    tasks.reduce((sum, task) => sum + (task.type === "test" ? 1 : count(task.tasks ?? [])), 0);
  return count((TestRunner.getCurrentTest()?.file.tasks ?? []) as never) || 1;
}

/** Bytes that begin as something valid, and have some of them changed, removed or added. */
export function broken(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    how: fc.constantFrom("change", "remove", "insert", "cut"),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  return fc.tuple(valid, fc.array(change, { maxLength: 5 })).map(([bytes, changes]) => {
    let found = Buffer.from(bytes);
    for (const { at, how, byte } of changes) {
      const place = Math.floor(at * found.length);
      const [before, after] = [found.subarray(0, place), found.subarray(place + 1)];
      if (how === "cut") found = Buffer.from(before);
      else if (how === "remove") found = Buffer.concat([before, after]);
      else if (how === "change") found = Buffer.concat([before, Buffer.from([byte]), after]);
      else found = Buffer.concat([before, Buffer.from([byte]), found.subarray(place)]);
    }
    return found;
  });
}

export const text = (): fc.Arbitrary<string> => fc.string({ unit: "grapheme", maxLength: 60 });

/** JSON as programs write it: spaces, exact numbers, NaN, deep and wide. */
export const jsonText = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.json(),
    fc.json({ maxDepth: 8 }).map((json) => json.replaceAll(",", " ,\n")),
    fc.bigInt().map(String),
    fc.double().map(String),
    fc.constantFrom("NaN", "[Infinity]", '{"a":-Infinity}', "1e999", "1.0", "-0", "[".repeat(3000)),
    fc.stringMatching(/^-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,4})?$/),
  );
