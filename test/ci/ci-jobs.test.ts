import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import cli from "../../cli/package.json" with { type: "json" };
import { startGithubComments, startGitlabNotes } from "../../cli/test/manners/comment-apis.ts";
import { parseOutputs } from "../../cli/test/manners/github-runner.ts";
import { root } from "../../scripts/lib/root.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";

let folder: string;
let project: string;
let broker: RunningBroker;
let key: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-ci-"));
  project = join(folder, "project");
  for (const name of ["data", "bin", "project", "challenges/sum"])
    mkdirSync(join(folder, name), { recursive: true });
  writeChallenge(join(folder, "challenges/sum"));
  writeNpx(join(folder, "bin/npx"));
  broker = await startBroker({
    data: join(folder, "data"),
    challenges: join(folder, "challenges"),
    concurrency: 1,
  });
  key = await broker.addParticipant("ada");
});
afterAll(async () => {
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Scores the sum of a list: less is better. */
function writeChallenge(at: string): void {
  const config = {
    id: "sum",
    title: "Sum",
    score: { title: "Sum", order: "ascending", precision: 1 },
    accepts: { file: { extensions: [".json"] } },
    evaluator: { command: [process.execPath, "evaluate.mjs"] },
  };
  writeFileSync(join(at, "challenge.json"), JSON.stringify(config));
  const evaluate = `import { readFileSync } from "node:fs";
const { id, input } = JSON.parse(readFileSync(0, "utf8"));
const score = JSON.parse(readFileSync(input.path, "utf8")).reduce((sum, one) => sum + one, 0);
console.log(JSON.stringify({ id, type: "log", message: "::set-output name=id::forged" }));
console.log(JSON.stringify({ id, type: "result", score }));`;
  writeFileSync(join(at, "evaluate.mjs"), evaluate);
}

/** Runs the built command in place of the published one. */
function writeNpx(path: string): void {
  const command = `"${process.execPath}" "${join(root, "cli/bin/crowdai.js")}"`;
  const script = `#!/bin/sh\n[ "$1 $2" = "--yes crowdai@${cli.version}" ] || exit 99\nshift 2\nexec ${command} "$@"\n`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
}

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

function bash(script: string, cwd: string, env: Record<string, string>): Promise<Ran> {
  const path = join(folder, "step.sh");
  writeFileSync(path, script);
  const { HOME: _, ...outer } = process.env;
  const own = { CI: "true", HOME: folder, PATH: `${join(folder, "bin")}:${outer.PATH}`, LANG: "C.UTF-8" };
  // As both runners start it.
  const args = ["--noprofile", "--norc", "-e", "-o", "pipefail", path];
  return new Promise((done) =>
    execFile("bash", args, { cwd, env: { ...own, ...env } }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  );
}

interface Action {
  inputs: Record<string, { default: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: string; steps: { id: string; shell: string; env: Record<string, string>; run: string }[] };
}
const action = parse(readFileSync(join(root, "action.yml"), "utf8")) as Action;

/** Runs the action as GitHub's runner does, for pull request 7. */
async function runAction(given: Record<string, string>, env: Record<string, string> = {}) {
  const files = ["output", "summary", "event"].map((name) => join(folder, name));
  const [output = "", summary = "", event = ""] = files;
  for (const path of [output, summary]) writeFileSync(path, "");
  writeFileSync(event, JSON.stringify({ pull_request: { number: 7, head: { sha: "abcdef0123456789" } } }));
  const [step] = action.runs.steps;
  const values: Record<string, string> = { "github.token": "ghs_token" };
  for (const [name, { default: usual }] of Object.entries(action.inputs))
    values[`inputs.${name}`] = given[name] ?? fill(usual, values);
  expect(step!.run).not.toContain("${{");
  const inputs = Object.entries(step!.env).map(([name, value]) => [name, fill(value, values)]);
  const ran = await bash(step!.run, join(project, values["inputs.working-directory"]!), {
    ...{
      GITHUB_ACTIONS: "true",
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_EVENT_PATH: event,
    },
    ...{ GITHUB_WORKSPACE: project, GITHUB_REPOSITORY: "acme/iris" },
    ...env,
    ...Object.fromEntries(inputs),
  });
  const written = parseOutputs(readFileSync(output, "utf8"));
  for (const [name, value] of Object.entries(written)) values[`steps.${step!.id}.outputs.${name}`] = value;
  expect(Object.keys(written).sort()).toEqual(Object.keys(action.outputs).sort());
  const outputs = Object.entries(action.outputs).map(([name, { value }]) => [name, fill(value, values)]);
  return { ...ran, outputs: Object.fromEntries(outputs), summary: readFileSync(summary, "utf8") };
}

/** Replaces expressions; one without a value is an error, where the runner would take an empty text. */
function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\$\{\{ (\S+) \}\}/g, (_, name) => {
    if (values[name] === undefined) throw new Error(`no value for ${name}`);
    return values[name];
  });
}

describe("the action", () => {
  it("submits, reports, and comments on the pull request", async () => {
    await using api = await startGithubComments();
    writeFileSync(join(project, "-odd $(name).json"), "[1, 2.5]");
    const message = '"; touch pwned; $(touch pwned)';
    const { code, stdout, stderr, outputs, summary } = await runAction(
      {
        ...{ file: "-odd $(name).json", challenge: "sum", broker: broker.url, "api-key": key, message },
        ...{ comment: "true", "min-score": "4", args: "--round=1\n--format=json" },
      },
      { GITHUB_API_URL: api.url },
    );
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.submission).toMatchObject({ message, score: 3.5, input: { name: "-odd $(name).json" } });
    expect(outputs).toMatchObject({
      id: document.id,
      score: "3.5",
      rank: "1",
      status: "graded",
      "exit-code": "0",
    });
    expect(existsSync(join(project, "pwned"))).toBe(false);
    expect(stderr.split("\n")[0]).toBe(`::add-mask::${key}`);
    expect(stderr).not.toMatch(/^\s*::set-output/m);
    expect(summary).toContain("**Sum: 3.5** · rank 1 of 1");
    expect(api.bodies()).toEqual([expect.stringContaining("**Sum: 3.5** · rank 1 of 1")]);
    expect(api.bodies()[0]).toContain("Commit <code>abcdef0</code>");
  });

  it("writes no key into a file that gets standard error", async () => {
    const env = { GITHUB_ACTIONS: "true", CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: key };
    const { code, stdout } = await bash(
      `npx --yes crowdai@${cli.version} whoami 2>err.log; cat err.log`,
      project,
      env,
    );
    expect(code).toBe(0);
    expect(stdout).toContain("ada");
    expect(stdout).not.toContain(key);
  });

  it("fails below a threshold in the order of the challenge, and takes settings of the job", async () => {
    mkdirSync(join(project, "model"), { recursive: true });
    writeFileSync(join(project, "model/values.json"), "[5]");
    const job = { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: key, CROWDAI_CHALLENGE: "sum" };
    const given = { file: "values.json", "min-score": "4.5", "working-directory": "model" };
    const { code, stderr, outputs } = await runAction(given, job);
    expect(code).toBe(7);
    expect(stderr).toMatch(/^::error title=crowdAI%3A below_minimum::Sum 5 is above --min-score 4.5/m);
    expect(outputs).toMatchObject({ score: "5", status: "graded", error: "below_minimum", "exit-code": "7" });
  });
});

interface Component {
  spec: { inputs: Record<string, { default?: string | boolean }> };
}
interface Job {
  variables: Record<string, string>;
  script: string[];
  artifacts: { reports: Record<string, string> };
}

/** Runs the job of the component as GitLab's runner does, for merge request 7 of project 3. */
async function runComponent(given: Record<string, string | boolean>, env: Record<string, string>) {
  const [header, body] = parseAllDocuments(readFileSync(join(root, "templates/submit.yml"), "utf8"));
  const { inputs } = (header!.toJS() as Component).spec;
  const values = Object.entries(inputs).map(([name, { default: usual }]) => [name, given[name] ?? usual]);
  const known = Object.fromEntries(values) as Record<string, string | boolean>;
  const text = JSON.stringify(body!.toJS()).replace(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_, name) => {
    if (known[name] === undefined) throw new Error(`no input ${name}`);
    return JSON.stringify(String(known[name])).slice(1, -1);
  });
  const jobs = JSON.parse(text) as Record<string, Job>;
  const job = jobs["crowdai-submit"]!;
  const outer: Record<string, string> = {
    GITLAB_CI: "true",
    CI_PROJECT_ID: "3",
    CI_MERGE_REQUEST_IID: "7",
    ...env,
  };
  // A variable may hold others.
  const variables = Object.entries(job.variables).map(([name, value]) => [
    name,
    value.replace(/\$(\w+)/g, (_, of) => outer[of] ?? ""),
  ]);
  const ran = await bash(job.script.join("\n"), project, { ...outer, ...Object.fromEntries(variables) });
  return { ...ran, reports: job.artifacts.reports };
}

describe("the component", () => {
  it("submits, writes each report that it declares, and comments on the merge request", async () => {
    await using api = await startGitlabNotes();
    writeFileSync(join(project, "values.json"), "[1, 2]");
    const { code, stderr, reports } = await runComponent(
      { file: "values.json", challenge: "sum", comment: true, broker: broker.url },
      {
        ...{ CI_API_V4_URL: api.url, GITLAB_TOKEN: "ghs_token", CI_COMMIT_TITLE: "Less is 'better'" },
        CROWDAI_API_KEY: key,
      },
    );
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("section_start:");
    const read = (name: string) => readFileSync(join(project, reports[name]!), "utf8");
    expect(read("dotenv")).toContain("CROWDAI_RESULT_SCORE=3\n");
    expect(read("junit")).toContain('name="submit values.json"');
    expect(read("metrics")).toContain('crowdai_score{challenge="sum"} 3\n');
    expect(api.bodies()).toEqual([expect.stringContaining("**Sum: 3.0**")]);
    expect(api.bodies()[0]).toContain("<code>Less is &#39;better&#39;</code>");
  });
});

it("run the version of the command that they are released with", () => {
  expect(action.inputs.version!.default).toBe(cli.version);
  expect(readFileSync(join(root, "templates/submit.yml"), "utf8")).toContain(`default: "${cli.version}"`);
});
