import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packTar } from "modern-tar";
import { afterAll, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { openTestSandbox } from "../testing/boxes.ts";
import { batch, sums, temporaryFolder } from "../testing/challenge.ts";
import { isAlive } from "../testing/evaluation.ts";
import { runGrader, silent } from "../testing/running-grader.ts";

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

describe("a grader", () => {
  it("grades a value and reports its start, the evaluator's events, and one end", async () => {
    const folder = await batch(`
say(type="progress", percent=50, message="half")
say(type="log", message="reading")
say(type="result", score=sum(job["input"]["data"]), message="good", meta={"n": 2}, data={"x": 1})`);
    const { publish, report, reports, workDir } = await runGrader([folder]);
    const id = await publish({ input: { kind: "inline", data: [1, 2] }, round: 2 });
    expect(await report(id, "finished")).toEqual({
      submission: id,
      attempt: 1,
      delivery: 1,
      grader: "grader-1",
      type: "finished",
      outcome: {
        ok: true,
        score: 3,
        score_secondary: null,
        message: "good",
        meta: { n: 2 },
        data: { x: 1 },
        media: null,
        media_dropped: null,
        artifacts: [],
        evaluator_version: folder.version,
      },
      organiser_log: "",
      seconds: expect.any(Number),
    });
    expect(reports.map(({ type }) => type)).toEqual(["started", "progress", "log", "finished"]);
    // The folders are reused by the next job; their contents are gone.
    const files = async () =>
      (await readdir(join(workDir, "workspaces"), { recursive: true, withFileTypes: true })).filter(
        (entry) => !entry.isDirectory(),
      );
    while ((await files()).length > 0) await sleep(5);
  });

  it("passes the verified file to the evaluator under its own name", async () => {
    const folder = await batch(`
path = job["input"]["path"]
say(type="result", score=len(open(path).read()), data=[os.path.basename(path), os.listdir(os.path.dirname(path))])`);
    const { publish, report, store } = await runGrader([folder]);
    const id = await publish({ input: await store("../../my predictions.csv", "a,1\n") });
    const { outcome } = await report(id, "finished");
    expect(outcome).toMatchObject({
      ok: true,
      score: 4,
      data: ["my_predictions.csv", ["my_predictions.csv"]],
    });
  });

  it("passes a large stored value as data, with its numbers unchanged", async () => {
    const folder = await batch(`say(type="result", score=1, data=[str(x) for x in job["input"]["data"]])`);
    const { publish, report, store } = await runGrader([folder]);
    const id = await publish({ input: await store("v", "[12345678901234567890123,\n 1.50]", "json") });
    expect(await report(id, "finished")).toMatchObject({
      outcome: { ok: true, data: ["12345678901234567890123", "1.5"] },
    });
  });

  it("passes the submitted code as a folder, without links that lead out of it", async () => {
    const folder = await batch(
      `say(type="result", score=1, data=[sorted(os.listdir(job["code"])), open(job["code"] + "/link").read()])`,
    );
    const { publish, report, store } = await runGrader([folder]);
    const archive = await packTar([
      { header: { name: "lib/", size: 0, type: "directory" } },
      { header: { name: "lib/model.py", size: 8 }, body: "the code" },
      { header: { name: "link", size: 0, type: "symlink", linkname: "lib/model.py" } },
      { header: { name: "secrets", size: 0, type: "symlink", linkname: "../../../../etc/passwd" } },
    ]);
    const { key, size, sha256 } = await store("code", Buffer.from(archive));
    const id = await publish({ code: { key, size, sha256 } });
    expect(await report(id, "finished")).toMatchObject({
      outcome: { ok: true, data: [["lib", "link"], "the code"] },
    });
  });

  it("grades calls in parallel, up to its concurrency", async () => {
    const folder = await batch(`time.sleep(0.2); say(type="result", data=job["input"]["data"] ** 2)`, {
      functions: ["submit", "evaluate"],
    });
    const { publish, report } = await runGrader([folder]);
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        publish({ function: "evaluate", input: { kind: "inline", data: i } }),
      ),
    );
    const answers = await Promise.all(ids.map((id) => report(id, "finished")));
    expect(answers.map(({ outcome }) => outcome.ok && outcome.data)).toEqual([0, 1, 4, 9, 16, 25, 36, 49]);
  });

  it("refuses a function that the evaluator does not have", async () => {
    const { publish, report } = await runGrader([await sums()]);
    const id = await publish({ function: "evaluate" });
    expect(await report(id, "finished")).toMatchObject({ outcome: { ok: false, code: "function_unknown" } });
  });

  it("reports a rejection with the evaluator's message, sanitized", async () => {
    const folder = await batch(
      `say(type="error", message="row \\x1b[31m17 of " + job["output_dir"] + "\\n" + os.getcwd() + "/private/a")`,
    );
    const { publish, report } = await runGrader([folder]);
    const { outcome } = await report(await publish(), "finished");
    expect(outcome).toMatchObject({
      ok: false,
      code: "rejected",
      message: "row \\u001b[31m17 of output\nprivate/a",
    });
  });

  it("reports the kind of an evaluator failure to participants, and its details to the organizer", async () => {
    const folder = await batch(`print("cannot open " + os.getcwd(), file=sys.stderr); sys.exit(2)`);
    const { publish, report } = await runGrader([folder]);
    const { outcome, organiser_log } = await report(await publish(), "finished");
    expect(outcome).toMatchObject({
      ok: false,
      code: "evaluator_crashed",
      message: "The evaluator crashed.",
    });
    expect(organiser_log).toContain("exit code 2");
    expect(organiser_log).toContain(`cannot open ${folder.dir}`);
  });

  it("grades a score beside a NaN, and names the field to the organizer", async () => {
    const folder = await batch(
      `say(type="result", score=0.5, meta={"folds": [{"loss": float("nan")}], "rows": 3}, data={"top": float("-inf")})`,
    );
    const { publish, report } = await runGrader([folder]);
    const { outcome, organiser_log } = await report(await publish(), "finished");
    expect(outcome).toMatchObject({
      ok: true,
      score: 0.5,
      meta: { folds: [{ loss: null }], rows: 3 },
      data: { top: null },
    });
    expect(organiser_log).toContain("meta.folds.0.loss, data.top: NaN or Infinity");
  });

  it("names the score that is not finite", async () => {
    const folder = await batch(`say(type="result", score=0.5, score_secondary=float("nan"))`);
    const { publish, report } = await runGrader([folder]);
    const { outcome, organiser_log } = await report(await publish(), "finished");
    expect(outcome).toMatchObject({ ok: false, code: "evaluator_score" });
    expect(!outcome.ok && outcome.message).toContain("score_secondary");
    expect(organiser_log).toContain("score_secondary is NaN");
  });

  it("returns results quickly from a warm evaluator", async () => {
    const { publish, report } = await runGrader([await sums()]);
    await report(await publish(), "finished");
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const begun = performance.now();
      await report(await publish({ input: { kind: "inline", data: [i] } }), "finished");
      times.push(performance.now() - begun);
    }
    expect(times.sort((a, b) => a - b)[15]).toBeLessThan(allowedMs(20));
  });

  it("restarts evaluators when the version of the challenge folder changes", async () => {
    const folder = await sums();
    const { publish, report, challenges } = await runGrader([folder]);
    const pid = async () => {
      const { outcome } = await report(await publish(), "finished");
      return outcome.ok && outcome.meta.pid;
    };
    const before = (await pid()) as number;
    challenges.set("iris", { ...folder, version: "another" });
    expect(await pid()).not.toBe(before);
    while (await isAlive(before)) await sleep(5);
  });

  it("removes the leftovers of an earlier run", async () => {
    const workDir = await temporaryFolder();
    await mkdir(join(workDir, "workspaces", "job-left"), { recursive: true });
    await writeFile(join(workDir, "workspaces", "job-left", "predictions.csv"), "x");
    const { publish, report } = await runGrader([await sums()], { workDir });
    await report(await publish(), "finished");
    expect(await readdir(join(workDir, "workspaces"))).not.toContain("job-left");
  });
});

describe("a job that fails through the platform", () => {
  it.each([
    ["has other bytes than accepted", { sha256: "0".repeat(64) }],
    ["is shorter than accepted", { size: 100 }],
    ["is longer than accepted", { size: 1 }],
    ["is gone", { key: "submissions/iris/gone/input" }],
  ])(
    "because its input %s is returned, and fails without a score after three attempts",
    async (_, change) => {
      const folder = await batch(`open("evaluated", "w")`);
      const { publish, report, reports, store } = await runGrader([folder]);
      const id = await publish({ input: { ...(await store("p.csv", "a,1\n")), ...change } });
      expect(await report(id, "finished")).toMatchObject({
        delivery: 3,
        outcome: { ok: false, code: "gave_up" },
      });
      // A start may be omitted when the end follows immediately.
      const ends = reports.map(({ type }) => type).filter((type) => type !== "started");
      expect(ends).toEqual(["released", "released", "finished"]);
      expect(await readdir(folder.dir)).not.toContain("evaluated");
    },
  );

  it("because its version of the challenge is not here is returned too", async () => {
    const { publish, report } = await runGrader([await sums()]);
    expect(await report(await publish({ version: "newer" }), "released")).toMatchObject({
      reason: "The job does not name a valid bundle.",
    });
  });

  it("is graded when the store recovers in time", async () => {
    const { publish, report, objects, store } = await runGrader(
      [await batch(`say(type="result", score=1)`)],
      {
        retryPauseMs: 1000,
      },
    );
    const input = await store("p.csv", "a,1\n");
    await objects.remove(input.key);
    const id = await publish({ input });
    await report(id, "released");
    await objects.put(input.key, Buffer.from("a,1\n"));
    expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true } });
  });
});

describe("a challenge whose evaluator runs in a box", () => {
  it.runIf(sandbox)("is graded, once the grader has tested its boxes", async () => {
    const { publish, report } = await runGrader([await sums({ sandbox: "bubblewrap" })]);
    const id = await publish({ input: { kind: "inline", data: [1, 2] } });
    expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true, score: 3 } });
  });

  it("waits, with the reason, when the grader has no boxes", async () => {
    const said: object[] = [];
    const log = { ...silent, error: (fields: object) => said.push(fields) };
    const { challenges, queue, publish, reports } = await runGrader([await sums()], {
      log,
      openSandbox: async () => ({ missing: "bubblewrap is not installed" }),
    });
    while ((await queue.attached()).length === 0) await sleep(5);
    challenges.set("iris", await sums({ sandbox: "bubblewrap" }));
    await publish();
    while (said.length === 0) {
      await queue.attached();
      await sleep(5);
    }
    expect(await queue.attached()).toMatchObject([
      { challenges: [], unable: { iris: "bubblewrap is not installed" } },
    ]);
    expect(said).toEqual([
      expect.objectContaining({ event: "sandbox_unavailable", problem: "bubblewrap is not installed" }),
    ]);
    expect(reports).toEqual([]);
  });

  it("waits, with the line that failed, when the boxes do not keep programs in", async () => {
    const { queue } = await runGrader([await sums({ sandbox: "bubblewrap" })], {
      openSandbox: async () => ({
        name: "leaky",
        start: () => {
          throw new Error("not in this test");
        },
        selfTest: async () => ({ enforced: [], failures: ["memory is limited"] }),
      }),
    });
    const unable = async () => (await queue.attached())[0]?.unable?.iris;
    while (!(await unable())?.includes("leaky")) await sleep(5);
    expect(await unable()).toBe("leaky does not keep programs in: memory is limited");
  });

  describe("and comes as a bundle", () => {
    const missing = async () => ({ missing: "bubblewrap is not installed" });
    const unable = { iris: "bubblewrap is not installed" };

    it.runIf(sandbox)("goes from a grader without boxes to one that has them, at once", async () => {
      const boxed = await sums({ sandbox: "bubblewrap" });
      const bundled = new Map([["iris", "one"]]);
      const { queue, publish, report, reports, start, storeBundle } = await runGrader([], {
        bundled: () => bundled,
        openSandbox: missing,
      });
      const bundle = await storeBundle(boxed);
      const id = await publish({ ...bundle, input: { kind: "inline", data: [1, 2] } });
      expect(await report(id, "released")).toMatchObject({
        reason: "This grader cannot run programs in a box: bubblewrap is not installed.",
      });
      start({ openSandbox: async () => sandbox! });
      expect(await report(id, "finished")).toMatchObject({
        grader: "grader-2",
        outcome: { ok: true, score: 3 },
      });
      expect(reports.filter(({ type }) => type === "started")).toMatchObject([{ grader: "grader-2" }]);
      expect(await queue.attached()).toMatchObject([{ challenges: [], unable }, { challenges: ["iris"] }]);
    });

    it("is delivered to a grader without boxes once, then waits with the reason", async () => {
      const bundled = new Map([["iris", "one"]]);
      const { queue, publish, report, reports, storeBundle } = await runGrader([], {
        bundled: () => bundled,
        openSandbox: missing,
      });
      const bundle = await storeBundle(await sums({ sandbox: "bubblewrap" }));
      const ids = [await publish(bundle), await publish(bundle)];
      await report(ids[0]!, "released");
      expect(await queue.attached()).toMatchObject([{ challenges: [], unable }]);
      const open = await storeBundle(await sums());
      bundled.set("iris", "one two");
      const last = await publish(open);
      await report(last, "finished");
      // The others were delivered again too, and wait again.
      await expect.poll(() => queue.attached()).toMatchObject([{ challenges: [], unable }]);
      expect(reports.filter(({ type }) => type === "finished")).toMatchObject([{ submission: last }]);
    });
  });
});
