import { expect, it } from "vitest";
import { numberOf, reportOf } from "../contract/samples.ts";
import { until } from "../contract/wait-until.ts";
import { createReportApplier } from "./report-applier.ts";

it("a report that can never be applied is given up while others are applied, and frees its submission", async () => {
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
  // While nothing at all is applied, the records are away, and nothing is given up.
  await until(() => applier.failingFor() > 700);
  expect([applied, given]).toEqual([[], []]);
  applier.add("3-0", reportOf("other", 1));
  await until(() => applied.length === 2);
  expect(applied).toEqual(["other", "stuck"]);
  expect(given).toEqual(["a report could not be applied; given up"]);
  expect(applier.size()).toBe(0);
});
