import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CodeAnnouncement } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { startContractBroker } from "../../test/contract-broker.ts";
import type { ContractBroker } from "../../test/contract-types.ts";
import { type GitHost, startGitHost } from "../../test/git-host.ts";
import { makeProject, type Project } from "../../test/project.ts";

let broker: ContractBroker;
let host: GitHost;
let project: Project;
beforeEach(async () => {
  [broker, host] = await Promise.all([
    startContractBroker({ code: { capture: "optional" } }),
    startGitHost(),
  ]);
  broker.code = ({ id }) => ({ url: host.url, ref: `refs/incoming/${id}`, have: false });
  project = makeProject({ git: false });
});
afterEach(async () => {
  await Promise.all([broker.close(), host[Symbol.asyncDispose](), project[Symbol.asyncDispose]()]);
});

const library = join(import.meta.dirname, "../../dist/index.js");

/** Runs a program of the project from a folder that is not a project, and returns its output. */
async function run(script: string, options: string): Promise<unknown> {
  const path = project.write(
    script,
    `import { Challenge } from ${JSON.stringify(library)};
     const challenge = await Challenge.open("iris");
     let outcome;
     const options = { onCode: (told) => { outcome = told; }, ...(${options}) };
     const answer = await challenge.submit([1, 2], options).then(({ score }) => score, ({ code }) => code);
     await challenge.close();
     console.log(JSON.stringify([answer, outcome?.state ?? null]));`,
  );
  const env = { ...project.env, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: broker.key };
  const { stdout } = await promisify(execFile)(process.execPath, [path], { cwd: project.home, env });
  return JSON.parse(stdout);
}
const announced = () =>
  broker.received
    .filter(({ what }) => what === "submit")
    .map(({ message }) => message as { id: string; code: CodeAnnouncement | null });

describe.skipIf(missing("git"))("the code that a program includes", () => {
  it("is the project of the running script, whatever the working folder", async () => {
    project.write("package.json", "{}");
    project.write("src/model.mjs");
    expect(await run("src/predict.mjs", "{ code: true }")).toEqual([0.9, "stored"]);
    const [{ id, code }] = announced() as [{ id: string; code: CodeAnnouncement }];
    expect(code.files).toBe(3);
    expect(host.git("ls-tree", "-r", "--name-only", `refs/incoming/${id}`).split("\n")).toEqual([
      "package.json",
      "src/model.mjs",
      "src/predict.mjs",
    ]);
  });

  it("can be a named folder, is not included by default, and its absence is refused where it is required", async () => {
    project.write("other/a.py");
    const folder = JSON.stringify(join(project.folder, "other"));
    expect(await run("predict.mjs", `{ code: ${folder} }`)).toEqual([0.9, "stored"]);
    expect(await run("predict.mjs", "{}")).toEqual([0.9, null]);
    broker.challenge.code.capture = "required";
    expect(await run("predict.mjs", "{}")).toEqual(["code_required", null]);
    expect(announced().map(({ code }) => code?.files ?? null)).toEqual([1, null]);
  });

  it("does not make the submission fail when it cannot be sent", async () => {
    host.refuse = 500;
    expect(await run("predict.mjs", "{ code: true }")).toEqual([0.9, "awaited"]);
  });
});
