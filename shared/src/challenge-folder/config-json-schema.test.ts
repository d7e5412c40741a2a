import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { checkValue, jsonSchemaErrors } from "../protocol/check-value.ts";
import { challengeJsonSchema } from "./config-json-schema.ts";
import { MINIMAL } from "./testing/test-folder.ts";

// Compiled once, which costs more than all checks.
const SCHEMA = challengeJsonSchema();

const refuses = (value: unknown) =>
  expect(() => checkValue(value, SCHEMA)).toThrow(expect.objectContaining({ code: "value_schema" }));

describe("the JSON Schema of challenge.json", () => {
  it("is a valid JSON Schema", () => {
    expect(jsonSchemaErrors(SCHEMA)).toEqual([]);
  });

  it("equals the shipped file (else run scripts/generate/challenge-schema.ts)", async () => {
    const shipped = await readFile(new URL("../../challenge.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(shipped)).toEqual(SCHEMA);
  });

  it("accepts what the broker accepts: defaults may be omitted, and a round's id may be a number", () => {
    checkValue(MINIMAL, SCHEMA);
    checkValue({ ...MINIMAL, $schema: "x", rounds: [{ id: 1, limit: null }] }, SCHEMA);
    checkValue({ ...MINIMAL, evaluator: { python_class: "a.py:A", args: [1] } }, SCHEMA);
    const factory = { job_factory: { redis: "redis://localhost", namespace: "iris" } };
    checkValue({ ...MINIMAL, evaluator: factory }, SCHEMA);
    const run = { command: "submission", image: { path: "image" }, build: null, output: { lines: true } };
    checkValue({ ...MINIMAL, run }, SCHEMA);
  });

  it("rejects what the broker rejects", () => {
    const { title: _, ...untitled } = MINIMAL;
    refuses(untitled);
    refuses({ ...MINIMAL, titel: "x" });
    refuses({ ...MINIMAL, evaluator: {} });
    refuses({ ...MINIMAL, rounds: [{ id: "a", limit: { count: 0, per: "day" } }] });
    refuses({ ...MINIMAL, after_end: "maybe" });
    refuses({ ...MINIMAL, run: { command: ["python3", "main.py"] } });
    refuses({ ...MINIMAL, run: { command: "python3 main.py", output: { path: "predictions.csv" } } });
    refuses({ ...MINIMAL, run: { command: ["main"], output: { path: "predictions.csv", lines: true } } });
  });
});
