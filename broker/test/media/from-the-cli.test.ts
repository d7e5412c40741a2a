import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenge } from "../../../cli/src/index.ts";
import { runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { MEDIA_TIMEOUT, noise, type Stage, startStage } from "./media-broker.ts";

describe("the command line and the library", MEDIA_TIMEOUT, () => {
  let stage: Stage;
  let here: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    stage = await startStage();
    here = await temporaryFolder();
  });
  afterAll(async () => {
    await stage?.close();
    await here?.[Symbol.asyncDispose]();
  });
  const run = (...args: string[]) =>
    runCli(args, {
      cwd: here.path,
      env: { CROWDAI_BROKER: stage.broker.url, CROWDAI_API_KEY: stage.key, CROWDAI_CHALLENGE: "test" },
    });
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

  it("send models, show media, and download artifacts", async () => {
    const [weights, other] = [randomBytes(9 * 1024 * 1024), randomBytes(10)];
    await writeFile(join(here.path, "weights.bin"), weights);
    await writeFile(join(here.path, "other.bin"), other);
    const copy = join(here.path, "plot.png");
    await noise(30, 20).png().toFile(copy);
    const artifacts = [
      { name: "weights.bin", text: "the evaluator's" },
      { name: "a/b: c", text: "odd" },
    ];
    const value = JSON.stringify({ media: { copy, name: "plot.png" }, artifacts });
    const models = ["--model", "weights.bin", "--model", "other.bin"];

    const planned = JSON.parse(
      (await run("submit", "--json", value, ...models, "--dry-run", "--format", "json")).stdout,
    );
    expect(planned.plan.models).toMatchObject([
      { name: "weights.bin", sha256: sha256(weights) },
      { name: "other.bin" },
    ]);

    const submitted = await run("submit", "--json", value, ...models, "--format", "json");
    expect(submitted.code, submitted.stderr).toBe(0);
    const { id, submission } = JSON.parse(submitted.stdout) as { id: string; submission: Submission };
    expect(submission.artifacts.map(({ kind, name }) => [kind, name])).toEqual([
      ["model", "weights.bin"],
      ["model", "other.bin"],
      ["artifact", "weights.bin"],
      ["artifact", "a/b: c"],
    ]);
    const { media } = await stage.settled(id);
    const shown = await run("show", id);
    const spaced = shown.stdout.replace(/ +/g, " ");
    expect(spaced).toContain(`Image: ${media!.large} (image/png)`);
    expect(spaced).toContain(`Thumbnail: ${media!.thumbnail}`);
    expect(shown.stdout).toMatch(/Model: +weights\.bin, 9\.\d MB/);

    expect((await run("artifacts", id, "--quiet")).stdout).toBe(
      "weights.bin\nother.bin\nweights.bin\na/b: c\n",
    );
    const loaded = JSON.parse((await run("artifacts", id, "--dir", "kept", "--format", "json")).stdout);
    expect(loaded.files.map((file: { name: string; status: string }) => [file.name, file.status])).toEqual([
      ["weights.bin", "downloaded"],
      ["other.bin", "downloaded"],
      ["3-weights.bin", "downloaded"],
      ["a_b_ c", "downloaded"],
    ]);
    expect(sha256(await readFile(join(here.path, "kept/weights.bin")))).toBe(sha256(weights));
    const again = JSON.parse((await run("artifacts", id, "--dir", "kept", "--format", "json")).stdout);
    expect(again.files.every(({ status }: { status: string }) => status === "kept")).toBe(true);
  });

  it("show why media were dropped", async () => {
    const { id } = await stage.submit({ media: { name: "nowhere.png" } });
    expect((await run("show", id)).stdout).toMatch(/No media: +The evaluator's media file was dropped/);
  });

  it("refuse invalid models before anything is sent", async () => {
    await writeFile(join(here.path, "m.bin"), "m");
    const twice = await run(
      "submit",
      "--json",
      "{}",
      "--model",
      "m.bin",
      "--model",
      "m.bin",
      "--format",
      "json",
    );
    expect(JSON.parse(twice.stdout)).toMatchObject({ error: { code: "model_refused" }, exit_code: 4 });
    const none = await run("submit", "--json", "{}", "--model", "nothing.bin", "--format", "json");
    expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: "file_missing" } });
  });

  it("accept models by path or by name", async () => {
    const path = join(here.path, "net.onnx");
    await writeFile(path, "net");
    await using challenge = await Challenge.open("test", { broker: stage.broker.url, apiKey: stage.key });
    const grade = await challenge.submit(
      { score: 0.5 },
      { models: [path, { file: path, name: "again.onnx" }] },
    );
    expect(grade.artifacts.map(({ name, size }) => [name, size])).toEqual([
      ["net.onnx", 3],
      ["again.onnx", 3],
    ]);
  });
});
