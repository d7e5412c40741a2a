import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeChallenge, sums, temporaryFolder } from "../testing/challenge.ts";
import { runGrader } from "../testing/running-grader.ts";
import { createDoubtfulEvaluators } from "./doubtful-evaluators.ts";
import { createLeftChallenges, type LeftChallenges } from "./left-challenges.ts";

/** A PATH on which `python3` is there and cannot start. */
async function brokenPython(): Promise<string> {
  const bin = join(await temporaryFolder(), "bin");
  await mkdir(bin);
  await writeFile(join(bin, "python3"), "#!/bin/sh\necho python3: no libpython3.so >&2\nexit 127\n", {
    mode: 0o755,
  });
  return `${bin}:${process.env.PATH}`;
}

const input = { kind: "inline" as const, data: [1, 2] };
const unable = { iris: "the evaluator does not work on this grader" };

describe("a grader whose evaluator does not start", () => {
  it.each([
    ["whose interpreter is broken", sums],
    ["whose program is missing", () => makeChallenge({ command: ["no-such-program"] })],
  ])("%s leaves its jobs to a grader on which it works", async (_, make) => {
    const working = await sums();
    const broken = await make();
    const path = await brokenPython();
    const { queue, publish, report, reports, start } = await runGrader([], {
      challenges: () => new Map([["iris", broken]]),
      path,
      concurrency: 1,
    });
    start({ challenges: () => new Map([["iris", working]]), path: process.env.PATH! });
    await expect.poll(async () => (await queue.attached()).length).toBe(2);
    const ids = await Promise.all(Array.from({ length: 6 }, () => publish({ input })));
    for (const id of ids)
      expect(await report(id, "finished")).toMatchObject({ grader: "grader-2", outcome: { score: 3 } });
    expect(reports.filter(({ type }) => type === "released").length).toBeLessThan(2);
  });

  it("says why it takes no jobs of the challenge", async () => {
    const folder = await sums();
    const challenges = () => new Map([["iris", folder]]);
    const { queue, publish, report, start } = await runGrader([], { challenges, path: await brokenPython() });
    start({ path: process.env.PATH!, concurrency: 1 });
    await expect.poll(async () => (await queue.attached()).length).toBe(2);
    while ((await queue.attached())[0]!.challenges.length > 0)
      await report(await publish({ input }), "finished");
    expect(await queue.attached()).toMatchObject([{ challenges: [], unable }, { challenges: ["iris"] }]);
  });

  it("reports the failure where no other grader serves the challenge", async () => {
    const { publish, report, start } = await runGrader([await sums()], { path: await brokenPython() });
    const failed = { outcome: { code: "evaluator_crashed" } };
    expect(await report(await publish({ input }), "finished")).toMatchObject(failed);
    // The evaluator is as broken on the other one.
    start();
    for (const id of [await publish({ input }), await publish({ input })])
      expect(await report(id, "finished")).toMatchObject(failed);
  });
});

describe("an evaluator", () => {
  const attached = async () => [{ grader: "other", challenges: ["iris"], concurrency: 1 }];
  const doubtfulEvaluators = (left: LeftChallenges) =>
    createDoubtfulEvaluators({ grader: "this", queue: { attached }, left });
  const crashed = (how: string) => ({
    outcome: { ok: false, code: "evaluator_crashed", message: "", evaluator_version: "" } as const,
    organizerLog: "",
    evaluatorLog: `evaluator_crashed: ${how}`,
  });

  it("that has graded on this grader answers for its crashes, unless it fails to start", async () => {
    const folder = await sums();
    const doubtful = doubtfulEvaluators(createLeftChallenges());
    doubtful.worked(folder);
    expect(await doubtful.leavesToOthers(folder, crashed("exit code 1"))).toBe(false);
    const changed = { ...folder, version: "next" };
    expect(await doubtful.leavesToOthers(changed, crashed("exit code 1"))).toBe(true);
    expect(await doubtful.leavesToOthers(folder, crashed("failed to start: spawn python3 ENOENT"))).toBe(
      true,
    );
  });

  it("is tried again after a minute", async () => {
    const folder = await sums();
    let ms = 0;
    const left = createLeftChallenges(() => ms);
    const doubtful = doubtfulEvaluators(left);
    expect(await doubtful.leavesToOthers(folder, crashed("exit code 127"))).toBe(true);
    ms = 59_000;
    expect(left.unable()).toEqual(unable);
    ms = 60_000;
    expect(left.unable()).toEqual({});
  });
});
