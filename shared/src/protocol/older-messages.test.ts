import { expect, it } from "vitest";
import { jobSchema, reportSchema } from "./job.ts";

// Written by 0.1.0. Messages of a release that was published stay here for as long as it can be upgraded
// from: add those of the next.
const FILE = {
  key: "artifacts/s/1/board.png",
  name: "board.png",
  size: 3,
  sha256: "ba7816bf",
  type: "image/png",
};
const job = { submission: "s", attempt: 1, challenge: "iris", function: "submit", round: 1, dry_run: false };
const JOBS = [
  { ...job, input: { kind: "inline", data: { predictions: [1, 2] } }, code: null, version: null },
  {
    ...job,
    input: { kind: "file", key: "uploads/s", name: "answers.csv", size: 3, sha256: "ba7816bf" },
    code: { key: "code/s", sha256: "ba7816bf", size: 3 },
    version: "sha256:ba7816bf",
    bundle: { key: "bundles/iris", sha256: "ba7816bf", size: 3 },
  },
];
const report = { submission: "s", attempt: 1, delivery: 1, grader: "grader-1" };
const outcome = {
  score: 0.5,
  score_secondary: null,
  message: null,
  meta: { seen: 2 },
  data: null,
  evaluator_version: "1",
};
const REPORTS = [
  { ...report, type: "started" },
  { ...report, type: "progress", percent: 50, message: "half" },
  { ...report, type: "log", message: "reading" },
  {
    ...report,
    type: "finished",
    outcome: { ok: true, ...outcome, media: FILE, artifacts: [FILE] },
    organiser_log: "",
  },
  {
    ...report,
    type: "finished",
    outcome: { ok: false, code: "rejected", message: "no such row", evaluator_version: "1" },
    organiser_log: "line 3",
  },
  { ...report, type: "released", reason: "the grader is stopping" },
];

it("jobs and reports of an older release are read as they were written", () => {
  for (const one of JOBS) expect(jobSchema.parse(one)).toMatchObject(one);
  for (const one of REPORTS) expect(reportSchema.parse(one)).toMatchObject(one);
});

it("fields of a newer release are ignored, at any depth", () => {
  for (const one of JOBS) expect(jobSchema.parse(withLater(one))).toMatchObject(one);
  for (const one of REPORTS) expect(reportSchema.parse(withLater(one))).toMatchObject(one);
});

/** Adds an unknown field to each object. */
function withLater(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLater);
  if (typeof value !== "object" || value === null) return value;
  return {
    ...Object.fromEntries(Object.entries(value).map(([name, at]) => [name, withLater(at)])),
    later: { new: 1 },
  };
}
