import { RUN_STAGES, type StageRecord } from "@crowdai/shared";
import { expect, it } from "vitest";
import { STAGE_TITLES, stageVerdict } from "./stage-verdict.ts";

const verdict = (stage: Partial<StageRecord>) => stageVerdict({ cached: false, ...stage } as StageRecord);

it.each<[string, Partial<StageRecord>]>([
  ["passed", { ended: "exit", exit_code: 0 }],
  ["exit code 3", { ended: "exit", exit_code: 3 }],
  ["ended by a signal", { ended: "signal", exit_code: null }],
  ["time limit", { ended: "wall" }],
  ["processor time limit", { ended: "cpu" }],
  ["memory limit", { ended: "memory" }],
  ["output limit", { ended: "output" }],
  ["stopped", { ended: "killed" }],
  ["from an earlier build", { ended: "exit", exit_code: 0, cached: true }],
])("a stage reads %s", (text, stage) => {
  expect(verdict(stage)).toBe(text);
});

it("each stage has a title of its own", () => {
  expect(new Set(RUN_STAGES.map((stage) => STAGE_TITLES[stage])).size).toBe(RUN_STAGES.length);
});
