import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { makeEnvironmentChallenge } from "../testing/environments.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());
const submit: SubmitCode = (challenge, files, options) =>
  tests!.submit(challenge, files, { seeds: [1, 2, 3], ...options });

const RIGHT = `from crowdai_agent import serve
print("hello")
serve(lambda observation: 1)
`;

const RIGHT_JS = `const { connect } = await import(process.env.CROWDAI_AGENT_DIR + "/crowdai-agent.js");
console.log("hello");
const env = connect();
const { episodes, spaces } = await env.hello();
for (let i = 0; i < episodes; i++) {
  await env.reset();
  for (let over = false; !over; ) over = (await env.step(spaces.action.n - 1)).terminated;
}
if ((await env.reset()) !== null) throw new Error("an episode too many");
await env.submit();
`;

async function stepsOf(outcome: { artifacts?: { key: string }[] | null }): Promise<unknown[]> {
  const bytes = await buffer(await tests!.objects.get(outcome.artifacts![0]!.key));
  return gunzipSync(bytes)
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe.runIf(tests)("code of an agent", () => {
  it("plays a Gymnasium environment, which is not changed", async () => {
    const { outcome, log, reports } = await submit(await makeEnvironmentChallenge(), { "main.py": RIGHT });
    expect(outcome, log).toMatchObject({
      ok: true,
      environment: { agent: "code", invalid_actions: 0, resumed: 0 },
      run: { stages: [{ stage: "play", ended: "exit", exit_code: 0, stderr: "hello\n" }] },
      artifacts: [{ name: "steps.ndjson.gz" }],
    });
    const { environment, score } = outcome as Extract<typeof outcome, { ok: true }>;
    const { episodes, steps } = environment!;
    expect(episodes.map(({ ended }) => ended)).toEqual(["terminated", "terminated", "terminated"]);
    expect(score).toBe(episodes.reduce((sum, one) => sum + one.return, 0) / 3);
    const [header, ...entries] = await stepsOf(outcome);
    expect(header).toMatchObject({
      ...{ protocol: 1, episodes: 3 },
      spaces: { action: { name: "Discrete", n: 2 }, observation: { low: [-1e100, -1e100], high: [5, 5] } },
    });
    expect(entries).toHaveLength(3 + steps);
    expect(entries[1]).toMatchObject({ type: "step", episode: 1, n: 1, action: 1, terminated: false });
    expect(log).toContain("reset with True");
    expect(reports.filter((report) => report.type === "progress")[0]).toMatchObject({ stage: "play" });
  });

  it("may be JavaScript, and the environment a program", async () => {
    const challenge = await makeEnvironmentChallenge({
      evaluator: { command: ["node", "env.mjs"], mode: "environment" },
      environment: { code: { command: ["node", "main.mjs"], limits: { memory_mb: 512 } } },
    });
    const { outcome, log } = await submit(challenge, { "main.mjs": RIGHT_JS });
    // From 0, 1 and -1: 1+2+3, 2+3, 0+1+2+3.
    expect(outcome, log).toMatchObject({ ok: true, score: (6 + 5 + 6) / 3 });
  });
});
