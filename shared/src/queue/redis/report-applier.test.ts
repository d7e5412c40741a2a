import { expect, it } from "vitest";
import { numberOf, reportOf } from "../contract/samples.ts";
import { until } from "../contract/wait-until.ts";
import { createReportApplier } from "./report-applier.ts";

it("drops a report that always fails while others succeed, so that its submission continues", async () => {
  const applied: string[] = [];
  const given: string[] = [];
  const applier = createReportApplier({
    apply: async (report) => {
      if (numberOf(report) < 0) throw new Error("never");
      applied.push(report.submission);
    },
    log: { error: (_, message) => void given.push(message), warn() {}, info() {} },
    onApplied() {},
    maxRetryMs: 10,
  });
  applier.hold(performance.now() + 60_000);
  applier.add("1-0", reportOf("stuck", -1));
  applier.add("2-0", reportOf("stuck", 1));
  // When every report fails, the records are unreachable, and no report is dropped.
  await until(() => applier.failingFor() > 700);
  expect([applied, given]).toEqual([[], []]);
  applier.add("3-0", reportOf("other", 1));
  await until(() => applied.length === 2);
  expect(applied).toEqual(["other", "stuck"]);
  expect(given).toEqual(["report dropped after repeated failures"]);
  expect(applier.size()).toBe(0);
});
