import { execFile } from "node:child_process";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { batch, temporaryFolder } from "../testing/challenge.ts";
import { limitTools } from "../testing/evaluation.ts";
import { runGrader, silent } from "../testing/running-grader.ts";

const run = promisify(execFile);

/** A disk of its own, of a few megabytes; null where the tests may not mount one. */
async function smallDisk(megabytes: number): Promise<string | null> {
  const dir = await temporaryFolder();
  const mounted = await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir]).then(
    () => true,
    () => false,
  );
  if (!mounted) return null;
  onTestFinished(async () => void (await run("umount", ["-l", dir])));
  return dir;
}

/** Makes the grader's work folder unusable, and returns a function that repairs it. */
async function breakFolder(workDir: string): Promise<() => Promise<void>> {
  const folder = join(workDir, "workspaces");
  await rename(folder, `${folder}-aside`);
  await writeFile(folder, "not a folder");
  return async () => {
    await rm(folder);
    await rename(`${folder}-aside`, folder);
  };
}

const scoreOne = () => batch(`say(type="result", score=1)`);

function events() {
  const all: string[] = [];
  const add = (fields: object) => void all.push((fields as { event: string }).event);
  return { all, log: { ...silent, error: add, info: add } };
}

describe("a grader whose machine has a problem", () => {
  it("takes no jobs, says so, and grades all of them when the problem is gone", async () => {
    const { all, log } = events();
    const { queue, publish, report, reports, workDir } = await runGrader([await scoreOne()], { log });
    await report(await publish({ submission: "before" }), "finished");
    const repair = await breakFolder(workDir);
    const ids = await Promise.all(Array.from({ length: 5 }, () => publish()));
    const problem = async () => (await queue.attached())[0]!.problem;
    while ((await problem()) === undefined) await sleep(5);
    expect(await queue.attached()).toMatchObject([
      {
        challenges: [],
        problem: expect.stringMatching(/^The grader's machine has a problem \(E[A-Z]+\)\.$/),
      },
    ]);
    // Long enough for dozens of attempts at these pauses.
    await sleep(300);
    expect(reports.filter(({ type, submission }) => type === "finished" && submission !== "before")).toEqual(
      [],
    );
    await repair();
    for (const id of ids) expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true } });
    expect(await problem()).toBeUndefined();
    expect(all.filter((event) => event?.startsWith("grader_"))).toEqual([
      "grader_unhealthy",
      "grader_recovered",
    ]);
  });

  it("leaves the queue to the others", async () => {
    const { publish, report, reports, workDir, start } = await runGrader([await scoreOne()]);
    await report(await publish(), "finished");
    await breakFolder(workDir);
    const sick = await publish();
    await report(sick, "released");
    start();
    const ids = await Promise.all(Array.from({ length: 5 }, () => publish()));
    for (const id of [sick, ...ids])
      expect(await report(id, "finished")).toMatchObject({ grader: "grader-2", outcome: { ok: true } });
    // The first grader tried only what it had taken before it found the problem.
    expect(reports.filter(({ type }) => type === "released").length).toBeLessThanOrEqual(4);
  });

  it("blames no submission for a full disk, whether the grader or the evaluator meets it", async (context) => {
    const workDir = await smallDisk(8);
    if (!workDir) return context.skip("a disk cannot be mounted here");
    const folder = await batch(`
try: open(job["output_dir"] + "/scratch", "wb").write(b"x" * 2000000)
except OSError as error:
    if job["input"]["data"] == "reports": say(type="error", message=str(error)); sys.exit()
    raise
say(type="result", score=1)`);
    const { publish, report, reports } = await runGrader([folder], { workDir, concurrency: 1 });
    await report(await publish({ input: { kind: "inline", data: null } }), "finished");
    const fill = join(workDir, "fill");
    // The first job's files may still be there.
    while ((await readdir(join(workDir, "workspaces"))).length > 0) await sleep(5);
    await writeFile(fill, Buffer.alloc(7_500_000));
    const ids = await Promise.all(
      [null, "reports"].map((data) => publish({ input: { kind: "inline", data } })),
    );
    await report(ids[0]!, "released");
    await sleep(200);
    expect(reports.filter(({ type }) => type === "finished")).toHaveLength(1);
    await rm(fill);
    for (const id of ids) expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true } });
  });

  it("blames no submission for a disk with room for a check but not for the evaluator", async (context) => {
    const workDir = await smallDisk(8);
    if (!workDir) return context.skip("a disk cannot be mounted here");
    const folder = await batch(`
try: open(job["output_dir"] + "/scratch", "wb").write(b"x" * 4000000)
except OSError as error:
    if job["input"]["data"] == "reports": say(type="error", message=str(error)); sys.exit()
    raise
say(type="result", score=1)`);
    const { publish, report, reports } = await runGrader([folder], { workDir, concurrency: 1 });
    const fill = join(workDir, "fill");
    for (const data of [null, "reports"]) {
      await writeFile(fill, Buffer.alloc(5_000_000));
      const id = await publish({ input: { kind: "inline", data } });
      await report(id, "released");
      await rm(fill);
      expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true } });
      while ((await readdir(join(workDir, "workspaces"))).length > 0) await sleep(5);
    }
    expect(reports.filter(({ type }) => type === "finished")).toHaveLength(2);
  });

  it("still blames an evaluator that fills the disk itself", async (context) => {
    const workDir = await smallDisk(8);
    if (!workDir) return context.skip("a disk cannot be mounted here");
    const folder = await batch(`open(job["output_dir"] + "/scratch", "wb").write(b"x" * 20000000)`);
    const { publish, report, reports } = await runGrader([folder], { workDir });
    expect(await report(await publish(), "finished")).toMatchObject({
      outcome: { ok: false, code: "evaluator_crashed" },
    });
    expect(reports.filter(({ type }) => type === "released")).toHaveLength(5);
    expect(await readdir(workDir)).toContain("workspaces");
  });

  it.runIf(limitTools.prlimit)("blames no submission for a lack of descriptors, and loses none", async () => {
    const limit = (soft: number) => run("prlimit", ["--pid", `${process.pid}`, `--nofile=${soft}:`]);
    const count = async () => (await readdir("/proc/self/fd")).length;
    const { publish, report, reports } = await runGrader([await scoreOne()], { concurrency: 8 });
    await report(await publish(), "finished");
    const [before, { stdout }] = [
      await count(),
      await run("prlimit", ["--nofile", "--noheadings", "-o", "SOFT"]),
    ];
    await limit(before + 22);
    onTestFinished(async () => void (await limit(Number(stdout))));
    const ids = await Promise.all(Array.from({ length: 8 }, () => publish()));
    for (const id of ids) expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true } });
    expect(reports.some(({ type }) => type === "released")).toBe(true);
    expect(await count()).toBeLessThan(before + 8);
  });
});
