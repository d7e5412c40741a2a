import { describe, expect, it } from "vitest";
import { batch } from "../testing/challenge.ts";
import { runGrader } from "../testing/running-grader.ts";

describe("files of a result", () => {
  it("are stored with their names and types under keys of the attempt", async () => {
    const folder = await batch(`
out = job["output_dir"]
os.mkdir(out + "/models")
open(out + "/plot.png", "w").write("image")
open(out + "/models/model.onnx", "w").write("weights")
say(type="result", score=1, media={"path": "plot.png"}, artifacts=[{"path": "models/model.onnx", "name": "the model"}])`);
    const { publish, report, objects } = await runGrader([folder]);
    const id = await publish();
    const { outcome } = await report(id, "finished");
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
    expect(outcome.media).toMatchObject({ name: "plot.png", size: 5, type: "image/png" });
    expect(outcome.artifacts).toMatchObject([
      { name: "the model", size: 7, type: "application/octet-stream" },
    ]);
    for (const { key, size, sha256 } of [outcome.media!, ...outcome.artifacts]) {
      expect(key).toMatch(new RegExp(`^submissions/iris/${id}/1/[0-9a-f]+/(media\\.png|artifact-1\\.onnx)$`));
      expect(await objects.stat(key)).toEqual({ size, sha256 });
    }
  });

  it("may be named by absolute path", async () => {
    const folder = await batch(`
path = os.path.join(job["output_dir"], "plot.png")
open(path, "w").write("image")
say(type="result", score=1, media={"path": path})`);
    const { publish, report } = await runGrader([folder]);
    expect(await report(await publish(), "finished")).toMatchObject({
      outcome: { media: { name: "plot.png" } },
    });
  });

  it.each([
    ["a symbolic link", "os.symlink('/etc/hostname', out + '/f')", "f"],
    ["inside a linked folder", "os.symlink('/etc', out + '/d')", "d/hostname"],
    ["a hard link", "open('secret', 'w'); os.link('secret', out + '/f')", "f"],
    ["a pipe", "os.mkfifo(out + '/f')", "f"],
    ["a folder", "os.mkdir(out + '/f')", "f"],
    ["a device", "pass", "/dev/zero"],
    ["outside of output_dir", "pass", "../job.json"],
    ["outside by detours", "os.mkdir(out + '/a')", "a/../../job.json"],
    ["not there", "pass", "f"],
    ["named with a null", "pass", "f\\0"],
    ["larger than allowed", "open(out + '/f', 'w').truncate((1 << 30) + 1)", "f"],
  ])(
    "are rejected as artifacts when %s, and dropped as media without a change of the grade",
    async (_, statement, path) => {
      const evaluator = (named: string) =>
        batch(`
out = job["output_dir"]
${statement}
say(type="result", score=1, ${named})`);
      for (const named of [`artifacts=[{"path": "${path}"}]`, `media={"path": "${path}"}`]) {
        const { publish, report, objects } = await runGrader([await evaluator(named)]);
        const id = await publish();
        const { outcome, organiser_log } = await report(id, "finished");
        expect(outcome).toMatchObject(
          named.startsWith("media")
            ? { ok: true, score: 1, media: null, media_dropped: expect.not.stringContaining("hostname") }
            : { ok: false, code: "evaluator_output", message: expect.not.stringContaining("hostname") },
        );
        expect(organiser_log).toContain("the result names the file");
        for await (const key of objects.list(`submissions/iris/${id}`)) throw new Error(`${key} was stored`);
      }
    },
  );

  it("are refused above the limit", async () => {
    const folder = await batch(`say(type="result", score=1, artifacts=[{"path": "x"}] * 51)`);
    const { publish, report } = await runGrader([folder]);
    expect(await report(await publish(), "finished")).toMatchObject({
      outcome: { code: "evaluator_output" },
    });
  });
});
