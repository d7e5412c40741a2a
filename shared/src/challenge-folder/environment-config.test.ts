import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { challengeJsonSchema } from "./config-json-schema.ts";
import { gradingSeconds } from "./grading-seconds.ts";
import { loadChallengeFolder } from "./load-challenge-folder.ts";
import { createTestFolder, problemsOf } from "./testing/test-folder.ts";

const FILES = {
  "env.py": "",
  "env.js": "",
  "private/seeds.json": "[1, 2]",
  "private/text.json": '["a"]',
  "private/broken.json": "[1,",
  "public/seeds.json": "[1]",
  "packages/a.whl": "",
};
const PROGRAM = { command: ["node", "env.js"], mode: "environment" };

async function folderOf(config: object): Promise<string> {
  const content = { id: "walk", title: "Walk", score: {}, ...config };
  return createTestFolder({ ...FILES, "challenge.json": JSON.stringify(content) });
}
const load = async (config: object) => (await loadChallengeFolder(await folderOf(config))).config;

async function refusal(config: object) {
  const { lines } = await problemsOf(loadChallengeFolder(await folderOf(config)));
  return lines.map((line) => line.replace(/^ {2}challenge\.json: /, ""));
}

describe("a challenge with an environment", () => {
  it("may name a Gymnasium environment alone", async () => {
    const config = await load({ environment: { gym: "env.py:make" } });
    expect(config.evaluator).toMatchObject({ gym: "env.py:make", python: "python3", timeout_seconds: 600 });
    expect(config.accepts).toMatchObject({ code: { max_bytes: 50 * 1024 * 1024 } });
    expect(config.environment).toMatchObject({
      ...{ agents: ["code", "remote"], seeds: { count: 3, per: "round" }, score: "mean_return" },
      ...{ deterministic: true, reward_visible: true },
    });
    expect(gradingSeconds(config)).toBe(600 + 3 * (2 * (1800 + 60) + 300) + 600);
  });

  it("may have a program, private seeds, and remote agents alone", async () => {
    const seeds = { file: "private/seeds.json" };
    const config = await load({ environment: { agents: ["remote"], seeds }, evaluator: PROGRAM });
    expect(config.accepts).not.toHaveProperty("code");
    expect(config.environment).toMatchObject({ seeds });
  });

  it.each<[string, object, string]>([
    [
      "run",
      { run: { command: ["x"], output: { path: "y" } } },
      "run: expected no such field, because agents",
    ],
    ["files", { accepts: { file: {} } }, "accepts.file: expected no such field"],
    ["values", { accepts: { json: {} } }, "accepts.json: expected no such field"],
    [
      "a batch evaluator",
      { evaluator: { command: ["node", "env.js"] } },
      'evaluator.mode: expected "environment", because the challenge has environment, got "batch", the default',
    ],
    [
      "a class of an evaluator",
      { evaluator: { python_class: "env.py:E" } },
      'evaluator: expected an environment: {"gym": …}, or {"command": …, "mode": "environment"}, got "python_class"',
    ],
    [
      "a second evaluator",
      { environment: { gym: "env.py:make" }, evaluator: PROGRAM },
      "evaluator: expected no evaluator besides environment.gym",
    ],
    ["no evaluator", { evaluator: undefined }, "evaluator: "],
    [
      "functions",
      { evaluator: { ...PROGRAM, functions: ["submit", "test"] } },
      'evaluator.functions: expected "submit" alone',
    ],
    [
      "an agent twice",
      { environment: { agents: ["code", "code"] } },
      "environment.agents: expected each kind once",
    ],
    [
      "code of remote agents",
      { environment: { agents: ["remote"] }, accepts: { code: {} } },
      "accepts.code: expected no such field",
    ],
    [
      "old clients of code",
      { environment: { agents: ["code"], old_clients: { env_id: "Run" } } },
      'environment.old_clients: expected no such field, because environment.agents has no "remote"',
    ],
    [
      "seeds that are missing",
      { environment: { seeds: { file: "private/none.json" } } },
      'environment.seeds.file: expected a file of the challenge folder, got "private/none.json", which does not exist',
    ],
    [
      "seeds that everybody can read",
      { environment: { seeds: { file: "public/seeds.json" } } },
      "environment.seeds.file: expected a place outside public/",
    ],
    [
      "seeds elsewhere",
      { environment: { seeds: { file: "../seeds.json" } } },
      'environment.seeds.file: expected a file of the challenge folder, got "../seeds.json", which leads out of it',
    ],
    [
      "seeds that are texts",
      { environment: { seeds: { file: "private/text.json" } } },
      "environment.seeds.file: expected a file that contains a JSON array of whole numbers",
    ],
    [
      "seeds that are not JSON",
      { environment: { seeds: { file: "private/broken.json" } } },
      "environment.seeds.file: expected a file that contains a JSON array of whole numbers",
    ],
    [
      "packages that contain the seeds",
      { environment: { seeds: { file: "private/seeds.json" }, code: { packages: "private" } } },
      "environment.code.packages: expected a place apart from seeds.file",
    ],
    [
      "a file that is missing",
      { environment: { gym: "other.py:make" }, evaluator: undefined },
      'evaluator.gym: expected a file in the challenge folder, got "other.py", which does not exist',
    ],
  ])("cannot have %s", async (_, config, problem) => {
    const lines = await refusal({ environment: {}, evaluator: PROGRAM, ...config });
    expect(lines).toContainEqual(expect.stringContaining(problem));
  });

  it("is needed by an evaluator that is one", async () => {
    const expected = "environment: expected settings of the environment, which may be {}, got none";
    expect(await refusal({ evaluator: PROGRAM })).toContain(expected);
    expect(await refusal({ evaluator: { gym: "env.py:make" } })).toContain(expected);
  });

  it("has a JSON Schema that knows when the evaluator may be absent", () => {
    const validate = new Ajv2020({ strict: false, formats: { "date-time": true } }).compile(
      challengeJsonSchema(),
    );
    const base = { id: "walk", title: "Walk", score: {} };
    expect(validate({ ...base, environment: { gym: "env.py:make" } })).toBe(true);
    expect(validate({ ...base, environment: {} })).toBe(false);
    expect(validate({ ...base, environment: {}, evaluator: PROGRAM })).toBe(true);
  });
});
