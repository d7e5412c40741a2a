import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSubmissionId, isFinal, type Submission } from "@crowdai/shared";
import { root } from "../lib/root.ts";

const iris = join(root, "scripts/demo/challenges/iris");
const SPECIES = ["setosa", "versicolor", "virginica"];
const HOUR = 3600_000;

/**
 * The participants: the errors of 50 that their first try makes and their last, and the number of tries
 * between.
 */
const PEOPLE: [name: string, first: number, last: number, tries: number][] = [
  ["ada", 17, 1, 14],
  ["grace", 13, 2, 9],
  ["katherine", 20, 2, 12],
  ["alan", 9, 3, 6],
  ["barbara", 16, 3, 8],
  ["edsger", 11, 4, 4],
  ["hedy", 22, 5, 10],
  ["c. shannon", 14, 6, 5],
  ["emmy", 18, 7, 7],
  ["von neumann", 12, 8, 3],
  ["radia", 24, 9, 6],
  ["مریم", 15, 11, 3],
  ["Łukasz", 19, 13, 4],
  ["Søren", 21, 16, 3],
];

const NOTES = [
  "Nearest neighbor by sepals",
  "All four measurements",
  "Gaussian naive Bayes",
  "Scaled features",
  "k = 5, distance weights",
  "Linear discriminant",
  "Bagged trees",
  "Calibrated, 10 folds",
  "",
];

/** One try of one participant, in the order in which all are made. */
export interface Try {
  name: string;
  at: number;
  message: string;
  mistakes: number;
}

/** The tries of all, over `days` days up to `end`; the same each time. */
export function tries(end: number, days: number): Try[] {
  const random = generator(1936);
  const all = PEOPLE.flatMap(([name, first, last, count]) =>
    Array.from({ length: count }, (_, i) => {
      const way = i / (count - 1);
      const noise = i === count - 1 ? 0 : Math.round((random() - 0.35) * 5);
      return {
        name,
        at: end - HOUR - (1 - way ** 0.9) * random() ** 0.15 * days * 24 * HOUR - random() * 20 * HOUR,
        message: NOTES[Math.floor(random() * NOTES.length)] as string,
        mistakes: Math.max(last, Math.round(first + (last - first) * way ** 0.7) + noise),
      };
    }),
  );
  return all.sort((a, b) => a.at - b.at);
}

/** Predictions for the demo's test rows with exactly so many mistakes. */
export function predictions({ name, at, mistakes }: Try): { id: string; species: string }[] {
  const random = generator(name.length + Math.floor(at / 1000));
  const rows = readFileSync(join(iris, "private/answers.csv"), "utf8").trim().split("\n").slice(1);
  const wrong = new Set<number>();
  while (wrong.size < mistakes) wrong.add(Math.floor(random() * rows.length));
  return rows.map((row, index) => {
    const [id, species] = row.split(",") as [string, string];
    const other = SPECIES[(SPECIES.indexOf(species) + 1) % 3] as string;
    return { id, species: wrong.has(index) ? other : species };
  });
}

/** Submits once and waits for the grade. */
export async function submit(url: string, key: string, one: Try): Promise<Submission> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const id = createSubmissionId();
  const data = { predictions: predictions(one) };
  const answer = await fetch(`${url}/api/v1/submissions`, {
    method: "POST",
    headers,
    body: JSON.stringify({
      id,
      challenge: "iris",
      message: one.message || null,
      input: { kind: "inline", data },
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  for (;;) {
    const response = await fetch(`${url}/api/v1/submissions/${id}/events?wait=5`, { headers });
    const { submission } = (await response.json()) as { submission: Submission };
    if (isFinal(submission.state)) return submission;
  }
}

/** Numbers between 0 and 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
