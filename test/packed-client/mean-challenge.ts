import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A challenge whose score is how far the mean of the numbers is from 3, the nearer the better. */
export function writeChallenge(challenge: string): void {
  mkdirSync(challenge, { recursive: true });
  writeFileSync(join(challenge, "evaluate.mjs"), EVALUATOR);
  const config = {
    id: "mean",
    title: "Guess the mean",
    score: { title: "Distance", order: "ascending", precision: 3 },
    accepts: {
      file: { extensions: [".csv"] },
      json: { schema: { type: "array", items: { type: "number" } } },
    },
    evaluator: {
      command: [process.execPath, "evaluate.mjs"],
      mode: "persistent",
      functions: ["submit", "evaluate"],
    },
  };
  writeFileSync(join(challenge, "challenge.json"), JSON.stringify(config));
}

const EVALUATOR = `
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const { id, function: name, input } = JSON.parse(line);
  if (name === "evaluate") {
    const data = line.split('"data":')[1].split('},"code"')[0];
    console.log('{"id":"' + id + '","type":"result","data":' + data + "}");
    continue;
  }
  const say = (event) => console.log(JSON.stringify({ id, ...event }));
  const numbers = input.path ? readFileSync(input.path, "utf8").trim().split("\\n").map(Number) : input.data;
  say({ type: "progress", percent: 50, message: numbers.length + " numbers read" });
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  if (mean > 100) say({ type: "error", message: "that is much too high" });
  else say({ type: "result", score: Math.abs(mean - 3) });
}
`;
