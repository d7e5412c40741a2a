import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../../test/required-programs.ts";
import { gaussianNaiveBayes, nearestNeighbor, readFlowers } from "./classifier.ts";

const challenge = join(import.meta.dirname, "challenges/iris");
const answers = readFileSync(join(challenge, "private/answers.csv"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "crowdai-iris-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The evaluator's last word on each of the files, all given to one process. */
function evaluate(
  ...files: (string | Buffer)[]
): { type: string; score?: number; score_secondary?: number; message: string }[] {
  const jobs = files.map((text, i) => {
    const path = join(folder, `${i}.csv`);
    writeFileSync(path, text);
    return `${JSON.stringify({ id: `job-${i}`, function: "submit", round: 1, input: { path } })}\n`;
  });
  const output = execFileSync("python3", ["evaluate.py"], {
    cwd: challenge,
    input: jobs.join(""),
    encoding: "utf8",
  });
  const events = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return files.map((_, i) => events.filter(({ id }) => id === `job-${i}`).at(-1));
}

describe.skipIf(missing("python3"))("the iris evaluator", () => {
  it("gives the whole score to the answers, with Windows line ends and a byte order mark too", () => {
    for (const verdict of evaluate(answers, `\ufeff${answers.replaceAll("\n", "\r\n")}`))
      expect(verdict).toMatchObject({ type: "result", score: 1, score_secondary: 1 });
  });

  it("weighs the species alike in the secondary score", () => {
    const sample = readFileSync(join(challenge, "public/sample_submission.csv"), "utf8");
    const [verdict] = evaluate(sample);
    expect(verdict!.score).toBe(0.32);
    expect(verdict!.score_secondary).toBeCloseTo((2 * 16) / (50 + 16) / 3, 10);
  });

  it.each([
    ["an unknown id", answers.replace("iris-001", "iris-999"), 'row 1: unknown id "iris-999"'],
    [
      "an unknown species",
      answers.replace("setosa", "sibirica"),
      'unknown species "sibirica"; it is one of setosa',
    ],
    ["an id that comes twice", `${answers}iris-002,setosa\n`, 'row 51: the id "iris-002" comes twice'],
    ["a missing row", answers.replace(/iris-002.*\n/, ""), "1 of 50 rows are missing: iris-002"],
    ["a missing column", answers.replace("species", "guess"), "species is not there"],
    ["a row cut short", answers.replace(/iris-001.*/, "iris-001"), 'row 1: unknown species ""'],
    ["bytes that are not text", Buffer.from([0x69, 0x64, 0xff, 0xfe, 0x0a]), "not UTF-8 text"],
    ["nothing but a line end", "\n", "id and species is not there"],
  ])("rejects %s and says where", (_, text, message) => {
    const [rejected, next] = evaluate(text, answers);
    expect(rejected).toMatchObject({ type: "error", message: expect.stringContaining(message) });
    expect(next).toMatchObject({ type: "result", score: 1 });
  });
});

describe("the iris classifiers", () => {
  const train = readFlowers(join(challenge, "public/train.csv"));
  const test = readFlowers(join(challenge, "public/test.csv"));
  const species = new Map(
    answers
      .trim()
      .split("\n")
      .map((line) => line.split(",") as [string, string]),
  );
  const right = (classify: (features: number[]) => string) =>
    test.filter(({ id, features }) => classify(features) === species.get(id)).length;

  it("learn from 100 flowers and are tried on 50 others", () => {
    const known = new Set(train.map(({ id }) => id));
    expect([train.length, test.length]).toEqual([100, 50]);
    expect(test.filter(({ id, species: told }) => known.has(id) || told !== "")).toEqual([]);
  });

  it("name the more flowers rightly the more they measure", () => {
    expect(right(gaussianNaiveBayes(train))).toBe(49);
    expect(right(nearestNeighbor(train, [2, 3]))).toBe(47);
    expect(right(nearestNeighbor(train, [0, 1]))).toBe(37);
  });
});
