import { expect, it } from "vitest";
import { failed, graded } from "../../../test/support/domain.ts";
import { outcomeColumns } from "./run-record.ts";

type Config = Parameters<typeof outcomeColumns>[0];

const NAMES = ["build", "sample", "run", "play", "evaluate"];
const stage = (name: string) => ({ stage: name, exit_code: 0, stdout: `out ${name}`, stderr: `err ${name}` });

/** Expects that the logs of these stages are stored, and of the others everything but their logs. */
function expectLogs(config: object | undefined, visible: readonly string[]): void {
  const run = { grader: "g", stages: NAMES.map(stage) };
  const stored = outcomeColumns(config as Config, graded(1, { run })).run!;
  const stages = NAMES.map((name) => {
    return visible.includes(name) ? stage(name) : { ...stage(name), stdout: null, stderr: null };
  });
  expect(JSON.parse(stored)).toEqual({ grader: "g", stages });
}

it.each([
  ["none", ["build"]],
  ["sample", ["build", "sample"]],
  ["all", ["build", "sample", "run", "play"]],
])("keeps what participants may read of a run whose challenge shows the logs of: %s", (logs, visible) => {
  expectLogs({ run: { logs } }, visible);
  expectLogs({ environment: { code: { logs } } }, visible);
});

it("keeps the logs of the build alone where the challenge is gone or runs no code", () => {
  for (const config of [undefined, {}, { environment: {} }]) expectLogs(config, ["build"]);
});

it("stores the records apart from the outcome, and none where there is none", () => {
  const outcome = failed("rejected");
  const environment = { episodes: [] };
  expect(outcomeColumns(undefined, { ...outcome, environment } as never)).toEqual({
    ...{ outcome: JSON.stringify(outcome), run: null, environment: JSON.stringify(environment) },
  });
  expect(outcomeColumns(undefined, outcome)).toEqual({
    ...{ outcome: JSON.stringify(outcome), run: null, environment: null },
  });
});
