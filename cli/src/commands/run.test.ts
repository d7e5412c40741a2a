import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { beforeEach, describe, expect, it } from "vitest";
import { useBrokerAndFolder } from "../../test/broker-and-folder.ts";
import { ENVIRONMENT } from "../../test/contract-environment.ts";
import { type Run, type RunOptions, runCli } from "../../test/run-cli.ts";

const own = useBrokerAndFolder();
beforeEach(() => {
  own.broker.challenge.environment = ENVIRONMENT;
});
const LEAVE = "process.exit(Number(process.argv[2] ?? 0));";
const PLAY = "while (await env.reset()) while (!(await env.step([0.5])).terminated);";
/** As the library, which takes longer to load. */
const CONNECT = `
  const { CROWDAI_BROKER, CROWDAI_API_KEY, CROWDAI_SUBMISSION } = process.env;
  let [episode, n] = [0, 0];
  async function ask(type, body) {
    const answer = await fetch(CROWDAI_BROKER + "/api/v1/sessions/" + CROWDAI_SUBMISSION + "/" + type, {
      method: "POST",
      headers: { authorization: "Bearer " + CROWDAI_API_KEY },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }
  const env = {
    async reset() {
      [episode, n] = [episode + 1, 0];
      return (await ask("reset", { episode })).observation;
    },
    step: (action) => ask("step", { episode, n: ++n, action }),
    submit: () => ask("submit", {}),
  };`;

/** Runs an agent whose program has an open session in `env`. */
async function run(program: string, args: string[] = [], options: Partial<RunOptions> = {}): Promise<Run> {
  return runPlain(`${program.includes("env.") ? CONNECT : ""}\n${program}`, args, options);
}
async function runPlain(program: string, args: string[], options: Partial<RunOptions>): Promise<Run> {
  writeFileSync(join(own.folder, "agent.mjs"), program);
  const { key, url } = own.broker;
  return runCli(["run", "-c", "iris", ...args, "--", process.execPath, "agent.mjs"], {
    cwd: own.folder,
    env: { PATH: process.env.PATH, CROWDAI_API_KEY: key, CROWDAI_BROKER: url },
    ...options,
  });
}
const only = () => [...own.broker.kept.values()][0]!.submission;

describe("crowdai run", () => {
  it("starts the agent, passes on what it prints, and shows the grade", async () => {
    const { code, stdout, stderr } = await run(
      `console.log("loading"); console.error("weights"); ${PLAY} await env.submit();`,
      ["-m", "PPO"],
    );
    expect(stderr).toContain("loading\n");
    expect(stderr).toContain("weights\n");
    expect(stderr).toContain(`Submission ${only().id} accepted.`);
    expect(stderr).toContain("next: crowdai leaderboard iris");
    expect(stdout).toBe(`${only().id}\n`);
    expect(stderr).toContain("Accuracy: 1.500\nRank: 3 of 17 (up 2)\n");
    expect(only()).toMatchObject({ state: "graded", message: "PPO", input: { kind: "session" } });
    expect(code).toBe(0);
  });

  it("prints one JSON document, and submits for an agent that only plays", async () => {
    const { code, stdout } = await run(`${PLAY} console.log("noise"); ${LEAVE}`, ["--format", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ id: only().id, state: "graded", score: 1.5 });
    expect(code).toBe(0);
  });

  it("gives the agent the session, and a key that is bound to its broker", async () => {
    const { stderr } = await run(
      `const { PYTHONPATH, CROWDAI_API_KEY_FOR, CROWDAI_CHALLENGE, CROWDAI_SUBMISSION } = process.env;
       console.log(JSON.stringify({ PYTHONPATH, CROWDAI_API_KEY_FOR, CROWDAI_CHALLENGE, CROWDAI_SUBMISSION }));`,
      [],
      {
        env: {
          PATH: process.env.PATH,
          PYTHONPATH: "/mine",
          CROWDAI_API_KEY: own.broker.key,
          CROWDAI_API_KEY_FOR: "https://other.example",
          CROWDAI_BROKER: own.broker.url,
        },
      },
    );
    const printed = JSON.parse(/^\{.*\}$/m.exec(stderr)![0]);
    expect(printed).toEqual({
      PYTHONPATH: expect.stringMatching(/agent.\/mine$/),
      CROWDAI_API_KEY_FOR: own.broker.url,
      CROWDAI_CHALLENGE: "iris",
      CROWDAI_SUBMISSION: only().id,
    });
  });

  it("exits with code 7 for a score below --min-score", async () => {
    const { code, stderr } = await run(`${PLAY} ${LEAVE}`, ["--min-score", "2"]);
    expect(stderr).toContain("error[below_minimum]");
    expect(code).toBe(7);
  });
});

describe("crowdai run --timeout", () => {
  it("stops an agent that plays on, and cancels its session", async () => {
    const { code, stderr } = await run(`await env.reset(); setInterval(() => {}, 1000);`, [
      "--timeout",
      "1.5",
    ]);
    expect(stderr).toContain("error[still_pending]");
    expect(stderr).toMatch(
      /The agent had not finished after 1.5 s.*, and was stopped. Submission \S+ was cancelled./,
    );
    expect(only().state).toBe("cancelled");
    expect(code).toBe(8);
  });

  it("does not hold up one that has finished", async () => {
    const { code } = await run(`${PLAY} await env.submit();`, ["--timeout", "60"]);
    expect([code, only().state]).toEqual([0, "graded"]);
  });
});

describe("an agent", () => {
  it("that exits without a session ends in a cancelled submission and exit code 6", async () => {
    const { code, stderr } = await run("process.exit(3);");
    expect(stderr).toContain("The agent exited with code 3 without a reset of the environment.");
    expect(stderr).toContain("from crowdai_agent import connect");
    expect(only().state).toBe("cancelled");
    expect(code).toBe(6);
  });

  it("that exits before the end ends with how far it came", async () => {
    const { code, stdout } = await run(
      `await env.reset(); await env.step([0.25]);
       setTimeout(() => process.exit(1), 200);`,
      ["--format", "json"],
    );
    expect(JSON.parse(stdout)).toMatchObject({
      id: only().id,
      state: "cancelled",
      exit_code: 6,
      error: { code: "agent_protocol", details: { agent: { exit_code: 1, signal: null } } },
    });
    expect(JSON.parse(stdout).error.message).toMatch(
      /exited with code 1 before it had played to the end \(episode 1 of 2, step 1, return 0.25\)/,
    );
    expect(code).toBe(6);
  });

  it("whose session fails ends with the error of the session", async () => {
    const error = new CrowdaiError("env_crashed", "The environment exited with code 1.").toBody();
    own.broker.intercept = (what) => {
      if (what.endsWith("/step")) own.broker.finish(only().id, { state: "failed", error });
      return false;
    };
    const { code, stderr } = await run(`await env.reset(); await env.step([1]);`);
    expect(stderr).toContain("error[env_crashed]: The environment exited with code 1.");
    expect(code).toBe(6);
  });

  it("that cannot be started is a usage error, and leaves no session", async () => {
    const { key, url } = own.broker;
    const env = { CROWDAI_API_KEY: key, CROWDAI_BROKER: url };
    const { code, stderr } = await runCli(["run", "no-such-program", "-c", "iris"], { cwd: own.folder, env });
    expect(stderr).toContain('error[usage]: "no-such-program" cannot be started: there is no such program.');
    expect(only().state).toBe("cancelled");
    expect(code).toBe(2);
  });

  it("has its own options after --, which an unknown option says", async () => {
    const { code, stderr } = await runCli(["run", "python3", "agent.py", "--lr", "1"], { cwd: own.folder });
    expect(stderr).toContain("Write the options of the agent after --");
    expect(code).toBe(2);
  });

  it("is the command of crowdai.json by default", async () => {
    const { key, url } = own.broker;
    const env = { CROWDAI_API_KEY: key, CROWDAI_BROKER: url };
    const none = await runCli(["run", "-c", "iris"], { cwd: own.folder, env });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("There is no agent to run.") });
    const command = [process.execPath, "-e", "console.log('mine')"];
    writeFileSync(
      join(own.folder, "crowdai.json"),
      JSON.stringify({ challenge_id: "iris", code: { command } }),
    );
    expect((await runCli(["run"], { cwd: own.folder, env })).stderr).toContain("mine\n");
  });

  it("gets the signal that interrupts the command, and its session is cancelled", async () => {
    const stop = new AbortController();
    own.broker.intercept = (what) => {
      if (what.endsWith("/step")) stop.abort("SIGTERM");
      return false;
    };
    const { code, stderr } = await run(
      `process.on("SIGTERM", () => { console.log("saved"); process.exit(0); });
       await env.reset(); await env.step([1]); setInterval(() => {}, 1000);`,
      [],
      { signal: stop.signal },
    );
    expect(stderr).toContain("saved\n");
    expect(stderr).toContain(`Interrupted. Submission ${only().id} was cancelled.`);
    expect(code).toBe(130);
  });
});

it("the files that connect an agent can be copied", async () => {
  const { code, stdout } = await runCli(["run", "--agent-files", "lib"], { cwd: own.folder });
  expect(stdout.split("\n")[0]).toBe(join(own.folder, "lib/crowdai_agent.py"));
  expect(readFileSync(join(own.folder, "lib/crowdai-agent.js"), "utf8")).toContain("export function connect");
  expect(code).toBe(0);
});

it("a challenge that takes agents only as code is refused before anything is registered", async () => {
  own.broker.challenge.environment = { ...ENVIRONMENT, agents: ["code"] };
  const { code, stderr } = await run("process.exit(0);");
  expect(stderr).toContain("crowdai submit --code");
  expect(own.broker.kept.size).toBe(0);
  expect(code).toBe(4);
});

it("the progress of a session is shown in lines", async () => {
  const shown = join(own.folder, "shown");
  const wait = `const { existsSync } = await import("node:fs");
    while (!existsSync(${JSON.stringify(shown)})) await new Promise((resolve) => setTimeout(resolve, 20));`;
  const { stderr } = await run(`${PLAY} ${wait} ${LEAVE}`, [], {
    tty: { stderr: true, columns: 40 },
    onStderr: (text) => /Playing: episode 2 of 2, step \d/.test(text) && writeFileSync(shown, ""),
  });
  expect(stderr).toMatch(/Playing: episode 2 of 2, step \d/);
});
