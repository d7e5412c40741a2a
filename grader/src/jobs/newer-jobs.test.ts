import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sums } from "../testing/challenge.ts";
import { runGrader } from "../testing/running-grader.ts";

const input = { kind: "inline" as const, data: [1, 2] };
const reasonFor = (what: string) =>
  `${what} is not readable for this grader, which may be older than the broker`;

describe("a grader that is older than", () => {
  it("a job leaves its challenge to newer ones for a while, with the reason", async () => {
    const grader = await runGrader([await sums()]);
    grader.stop.abort();
    await grader.stopped;
    const { queue } = grader;
    const consume: typeof queue.consume = (consumption, handle) =>
      queue.consume(consumption, (delivery) => handle({ ...delivery, unreadable: "invalid input" }));
    grader.start({ queue: { ...queue, consume }, concurrency: 1 });
    const id = await grader.publish({ input });
    expect(await grader.report(id, "released")).toMatchObject({
      reason: `Not graded here: ${reasonFor("the job")}.`,
    });
    expect(await queue.attached()).toMatchObject([
      { challenges: [], unable: { iris: reasonFor("the job") } },
    ]);

    grader.start();
    const { outcome } = await grader.report(id, "finished");
    expect(outcome).toMatchObject({ ok: true, score: 3 });
    expect(grader.reports.filter(({ type }) => type === "released")).toHaveLength(1);
  });

  it("a bundle does the same, and fails no submission", async () => {
    const folder = await sums();
    const path = join(folder.dir, "challenge.json");
    const bundled = () => new Map([["iris", "one"]]);
    const { publish, queue, report, reports, storeBundle } = await runGrader([], { bundled });
    await writeFile(path, JSON.stringify({ ...folder.config, setting_of_a_newer_release: true }));
    const bundle = await storeBundle(folder);
    const ids = [await publish({ input, ...bundle }), await publish({ input, ...bundle })];
    await report(ids[0]!, "released");
    await report(ids[1]!, "released");
    expect(await queue.attached()).toMatchObject([
      { challenges: [], unable: { iris: reasonFor("the challenge's bundle") } },
    ]);
    expect(reports.filter(({ type }) => type !== "released")).toEqual([]);
  });
});
