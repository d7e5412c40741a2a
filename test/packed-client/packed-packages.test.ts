import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/root.ts";
import { release } from "../../scripts/release/release.ts";
import { startRedis } from "../../scripts/services/redis.ts";
import { missing } from "../required-programs.ts";
import {
  brokerUrl,
  findRunners,
  installPackages,
  type PackageRunner,
  RUNTIMES,
  type RuntimeName,
  run,
  startServer,
} from "./installed-packages.ts";

/** Each command goes through npx, which starts two processes more. */
const START = { timeout: 240_000 };

describe("the packed packages in an empty folder", () => {
  let folder: string;
  let project: string;
  let challenges: string;
  let runners: Record<RuntimeName, PackageRunner>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-packages-"));
    project = await installPackages(folder);
    runners = await findRunners(folder);
    challenges = join(project, "challenges");
    cpSync(join(root, "examples/challenges"), challenges, { recursive: true });
    writeClassChallenge(join(challenges, "python-class"));
  }, 900_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The installed commands under one runtime, with a data folder of their own. */
  function installed({ command, path }: PackageRunner, more: NodeJS.ProcessEnv = {}) {
    const data = mkdtempSync(join(folder, "data-"));
    const env = { PATH: path, HOME: folder, CI: "true", CROWDAI_CONFIG_DIR: join(data, "config"), ...more };
    const [program = "", ...first] = command;
    const start = [...command, "@crowdai/broker", "start", "--port", "0", "--data", data];
    return {
      data,
      startBroker: (...args: string[]) =>
        startServer([...start, ...args], { cwd: project, env }, () => brokerUrl(data) !== null),
      startGrader: () =>
        startServer([...command, "@crowdai/grader", "start", "--data", data], { cwd: project, env }),
      async addParticipant() {
        const args = ["@crowdai/broker", "participant", "add", "ada", "--data", data];
        return (await run(program, [...first, ...args], { cwd: project, env })).stdout.trim();
      },
      async submit(apiKey: string, ...args: string[]) {
        const settings = { ...env, CROWDAI_API_KEY: apiKey, CROWDAI_BROKER: brokerUrl(data)! };
        const all = [...first, "crowdai", "submit", "--format", "json", "--timeout", "60", ...args];
        const done = await run(program, all, { cwd: project, env: settings });
        expect(done, done.stderr + done.stdout).toMatchObject({ code: 0 });
        return JSON.parse(done.stdout).submission;
      },
    };
  }

  it.each(RUNTIMES)("start a broker that grades and serves its pages, on %s", START, async (name) => {
    const commands = installed(runners[name]);
    const stop = await commands.startBroker("--with-grader");
    try {
      const key = await commands.addParticipant();
      writeFileSync(join(project, "value.csv"), "1.5\n");
      expect(await commands.submit(key, "value.csv", "-c", "python-class")).toMatchObject({ score: 1.5 });
      const { id } = await commands.submit(key, "-c", "media", "--json", JSON.stringify(Array(24).fill(9)));
      const url = brokerUrl(commands.data)!;
      const headers = { authorization: `Bearer ${key}` };
      const media = async () =>
        ((await (await fetch(`${url}/api/v1/submissions/${id}`, { headers })).json()) as Submission).media;
      await expect.poll(media, { timeout: 30_000, interval: 200 }).toMatchObject({ type: "image/png" });
      const page = await (await fetch(`${url}/challenges/media`)).text();
      const assets = [...page.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js|svg))"/g)].map(([, path]) => path);
      expect(assets.length).toBeGreaterThan(1);
      for (const path of assets) expect((await fetch(url + path)).status, path).toBe(200);
    } finally {
      await stop();
    }
  });

  describe.skipIf(missing("redis-server"))("with a Redis", () => {
    it.each(RUNTIMES)("start a grader of its own, on %s", START, async (name) => {
      const redis = await startRedis({ folder: mkdtempSync(join(folder, "redis-")) });
      const commands = installed(runners[name], { REDIS_URL: redis.url });
      const stops: (() => Promise<void>)[] = [];
      try {
        stops.push(await commands.startBroker());
        stops.push(await commands.startGrader());
        const key = await commands.addParticipant();
        const numbers = JSON.stringify({ one: 1, two: 2 });
        expect(await commands.submit(key, "-c", "json-persistent", "--json", numbers)).toMatchObject({
          score: 0.2,
        });
      } finally {
        for (const stop of stops.reverse()) await stop();
        await redis.stop();
      }
    });
  });

  it.each(RUNTIMES)("can be imported, on %s", async (name) => {
    const { runtime, path } = runners[name];
    writeFileSync(join(project, "import.mjs"), IMPORTS);
    const done = await run(runtime, ["import.mjs"], { cwd: project, env: { PATH: path } });
    expect(done, done.stderr).toMatchObject({
      code: 0,
      stdout: "function function function challenge.json\n",
    });
  });

  it("have types that a project outside this workspace reads", async () => {
    mkdirSync(join(project, "typed"));
    writeFileSync(join(project, "typed/use.ts"), TYPED);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: "nodenext",
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      skipLibCheck: false,
    };
    writeFileSync(
      join(project, "typed/tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["use.ts"] }),
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const done = await run(runners["the pinned Node.js"].runtime, [tsc, "-p", "typed"], {
      cwd: project,
      env: {},
    });
    expect(done).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("pass every check of a release", async () => {
    const printed: string[] = [];
    const exitCode = await release({
      root,
      dryRun: true,
      isPublished: async () => false,
      publish: async () => {},
      print: (line) => void printed.push(line),
    });
    expect(exitCode, printed.join("\n")).toBe(0);
  });
});

const IMPORTS = `
import { createBroker } from "@crowdai/broker";
import { createGrader } from "@crowdai/grader";
import { Challenge } from "crowdai";
import schema from "@crowdai/broker/challenge.schema.json" with { type: "json" };
console.log(typeof createBroker, typeof createGrader, typeof Challenge, schema.properties.evaluator && "challenge.json");
`;

const TYPED = `
import { type Broker, createBroker, readConfig } from "@crowdai/broker";
import { createGrader, type Grader, loadChallengeFolder, openBackends } from "@crowdai/grader";
import { Challenge, type Submission } from "crowdai";
import { pino } from "pino";

export async function start(): Promise<Broker> {
  // @ts-expect-error: a port is a number
  readConfig({}, {}, "").port satisfies string;
  return createBroker({ config: readConfig({ withGrader: true }, process.env, process.cwd()), log: pino() });
}
export async function grade(name: string): Promise<Grader> {
  const { queue, objects } = await openBackends({ env: process.env, data: "data", name, log: pino() });
  const folder = await loadChallengeFolder("challenges/media");
  folder.config.id satisfies string;
  // @ts-expect-error: a challenge has no such field
  folder.config.idea;
  const challenges = () => new Map([[folder.config.id, folder]]);
  return createGrader({ name, queue, objects, challenges, concurrency: 1, log: pino(), workDir: "work" });
}
export async function submit(): Promise<Submission> {
  const submission = await (await Challenge.open("media")).submit([1], { wait: false });
  // @ts-expect-error: a score may be missing
  submission.score satisfies number;
  return submission;
}
`;

/** A challenge that an evaluator class of crowdAI grades: the score is the number in the file. */
function writeClassChallenge(challenge: string): void {
  mkdirSync(challenge);
  writeFileSync(
    join(challenge, "evaluator.py"),
    `class Evaluator:
    def _evaluate(self, client_payload, _context={}):
        with open(client_payload["submission_file_path"]) as file:
            return {"score": float(file.read()), "score_secondary": 0.0}
`,
  );
  const config = {
    id: "python-class",
    title: "Class",
    score: { title: "Score" },
    evaluator: { python_class: "evaluator.py:Evaluator" },
  };
  writeFileSync(join(challenge, "challenge.json"), JSON.stringify(config));
}
