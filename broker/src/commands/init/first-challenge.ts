import type { InitFile } from "./init-file.ts";

/** The folder of the challenge, and its id. */
export const FIRST_CHALLENGE = "houses";

const CONFIG = `{
  "$schema": "../../node_modules/@crowdai/broker/dist/challenge.schema.json",
  "id": "${FIRST_CHALLENGE}",
  "title": "House prices",
  "description": "What does a house cost, in thousands? \`train.csv\` has houses with their prices, \`test.csv\` others without.\\n\\nSubmit a CSV file with the columns \`id\` and \`price\` and one row for each row of \`test.csv\`, as in \`sample_submission.csv\`. The score is the root mean squared error.",
  "score": { "title": "RMSE", "order": "ascending", "precision": 2 },
  "accepts": { "file": { "extensions": [".csv"], "max_bytes": 100000 } },
  "check": {
    "csv": {
      "columns": ["id", { "name": "price", "type": "number", "minimum": 0 }],
      "ids": { "column": "id", "file": "public/test.csv" }
    },
    "sample": "public/sample_submission.csv"
  },
  "rounds": [{ "id": "1", "title": "Practice", "limit": { "count": 20, "per": "day" } }],
  "evaluator": { "command": ["python3", "evaluate.py"], "timeout_seconds": 30, "memory_mb": 256 }
}
`;

const EVALUATOR = `"""Scores a CSV file of predictions: one process grades one submission.

Change \`score\` to score yours. Only the lines at the end speak with the grader: a job arrives as a line of
JSON, and the result leaves as one. Answers belong into private/, which participants never get.
"""

import csv
import json
import math
import sys


def prices(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return {row["id"]: float(row["price"]) for row in csv.DictReader(file)}


def score(path):
    answers = prices("private/answers.csv")
    try:
        predicted = prices(path)
        errors = [predicted[id] - answers[id] for id in answers]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected the columns id and price, with a number for each id: {error}") from None
    return math.sqrt(sum(error**2 for error in errors) / len(errors))


job = json.loads(sys.stdin.readline())
try:
    event = {"type": "result", "score": score(job["input"]["path"])}
except ValueError as error:  # The participant's error: the message reaches them.
    event = {"type": "error", "message": str(error)}
print(json.dumps({"id": job["id"], **event}))
`;

// id, area, rooms, distance to the center, price
const TRAINING = `h01,95,3,9.1,303.9
h02,156,5,9.6,485.6
h03,51,2,9.3,173.4
h04,176,6,3.9,553.8
h05,155,5,8.3,471.5
h06,73,2,3.9,239.9
h07,73,2,13.1,203.4
h08,51,2,2.8,186.5
h09,45,1,4.9,165.6
h10,156,5,9.1,479.7
h11,134,4,10.9,407.9
h12,148,5,14.5,437.0`;
const TEST = `h13,69,2,13.2,205.1
h14,90,3,4.2,298.8
h15,146,5,11.8,446.9
h16,133,4,8.8,401.6
h17,171,5,9.0,505.5
h18,42,1,12.9,114.6
h19,76,2,10.6,225.3
h20,180,6,2.0,580.4`;

const rows = (table: string) => table.split("\n").map((line) => line.split(","));
const csv = (head: string, lines: readonly (readonly (string | undefined)[])[]) =>
  `${[head, ...lines.map((line) => line.join(","))].join("\n")}\n`;

/** Returns a challenge that grades a first submission: its own sample. */
export function firstChallenge(): InitFile[] {
  const at = (name: string) => `challenges/${FIRST_CHALLENGE}/${name}`;
  const test = rows(TEST);
  return [
    { path: at("challenge.json"), text: CONFIG },
    { path: at("evaluate.py"), text: EVALUATOR },
    { path: at("public/train.csv"), text: csv("id,area,rooms,km_to_center,price", rows(TRAINING)) },
    {
      path: at("public/test.csv"),
      text: csv(
        "id,area,rooms,km_to_center",
        test.map((row) => row.slice(0, 4)),
      ),
    },
    {
      path: at("public/sample_submission.csv"),
      text: csv(
        "id,price",
        test.map(([id]) => [id, "250"]),
      ),
    },
    {
      path: at("private/answers.csv"),
      text: csv(
        "id,price",
        test.map((row) => [row[0], row[4]]),
      ),
    },
  ];
}
