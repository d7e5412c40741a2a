import { expect, it } from "vitest";
import { withoutService } from "../../services/programs.ts";
import { stopAtPoints } from "./stop-at-points.ts";

const STEPS = ["commit.register-intent", "commit.apply-report", "report.outcome"];

const LONG = { timeout: 300_000 };

it(
  "broker and grader end right before and right after their main steps, and no promise is broken",
  LONG,
  async (context) => {
    context.skip(withoutService("redis"), "Redis is not installed on this machine");
    const { stops, findings, acknowledged } = await stopAtPoints({
      ...{ times: 1, seed: 7, runtime: process.execPath, steps: STEPS, lanes: 1 },
    });
    expect(Object.fromEntries(stops)).toEqual(
      Object.fromEntries(
        STEPS.flatMap((step) => [`${step} before`, `${step} after`]).map((point) => [point, 1]),
      ),
    );
    expect(findings.filter(({ broken }) => broken.length > 0)).toEqual([]);
    expect(acknowledged).toBe(2 * stops.size);
  },
);
