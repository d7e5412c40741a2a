import { createApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limits, publicChallenge, ROUND } from "../../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";
import { gradedSubmission, said } from "../../test/sample-submissions.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";

const TTY = { stdin: true, stdout: true, stderr: true, columns: 200 };
const ID = gradedSubmission().id;
const SOON = "2030-04-01T00:00:00Z";
const CLOSED = "2026-01-05T10:00:00Z";
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeAll(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker();
});
afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const run = (args: string[], tty = {}, env = {}) =>
  runCli(args, {
    cwd: folder.path,
    tty,
    env: { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: createApiKey(), NO_COLOR: "1", TZ: "UTC", ...env },
  });

const upcoming = publicChallenge({
  id: "later",
  round: null,
  state: "upcoming",
  opens_at: SOON,
  rounds: [
    { ...ROUND, id: "1", number: 1, title: "Round 1", state: "upcoming", starts_at: SOON, limit: null },
  ],
});
const closed = publicChallenge({ id: "shut", round: null, state: "closed", closed_at: CLOSED });

test("a round to come opens on its date, and a closed challenge is closed, in every command", async () => {
  broker.routes["/api/v1/challenges"] = { json: { challenges: [upcoming, closed] } };
  broker.routes["/api/v1/challenges/later"] = { json: upcoming };
  broker.routes["/api/v1/challenges/shut"] = { json: closed };
  const none = { round: null, limit: null, used: 0, remaining: null };
  broker.routes["/api/v1/challenges/later/limits"] = { json: limits({ ...none, opens_at: SOON }) };
  broker.routes["/api/v1/challenges/shut/limits"] = { json: limits({ ...none, closed_at: CLOSED }) };
  const listed = (await run(["challenges"], TTY)).stdout;
  expect(listed).toMatch(/later +Iris +opens on 2030-04-01 00:00 UTC/);
  expect(listed).toMatch(/shut +Iris +closed on 2026-01-05 10:00 UTC/);
  expect((await run(["challenge", "later"])).stdout).toContain("opens on 2030-04-01 00:00:00 UTC");
  expect((await run(["challenge", "shut"])).stdout).toMatch(/was closed on 2026-01-05[\s\S]*Final: closed/);
  expect((await run(["limits", "later"])).stdout).toContain("The next one opens on 2030-04-01 00:00:00 UTC");
  expect((await run(["limits", "shut"])).stdout).toContain("was closed on 2026-01-05 10:00:00 UTC");
});

test("limits says which submissions a window counts", async () => {
  const path = "/api/v1/challenges/iris/limits";
  const shown = async (changes: Parameters<typeof limits>[0]) => {
    broker.routes[path] = { json: limits(changes) };
    return (await run(["limits", "iris"])).stdout;
  };
  expect(await shown({ used_in_other_rounds: 2 })).toMatch(
    /Counted: +submissions in the last 24 hours to all rounds of the challenge \(2 to other rounds\)/,
  );
  expect(await shown({ limit: { count: 5, per: "week", scope: "round" } })).toMatch(
    /Counted: +submissions in the last 7 days to this round\n/,
  );
  expect(await shown({ limit: { count: 5, per: "round", scope: "round" } })).not.toContain("Counted");
});

test("show and submissions print today's rank beside the one at the grade, and scores as the board does", async () => {
  const score = { score: 1.0005, rank: 2, rank_before: 4, best: true };
  const before = gradedSubmission({ ...score, standing: { rank: 5, best: false } });
  const best = gradedSubmission({ ...score, id: "b".repeat(16), standing: { rank: 5, best: true } });
  broker.routes["/api/v1/challenges"] = { json: { challenges: [publicChallenge()] } };
  broker.routes["/api/v1/challenges/iris"] = { json: publicChallenge() };
  broker.routes[`/api/v1/submissions/${ID}`] = { json: before };
  broker.routes["/api/v1/submissions"] = { json: { submissions: [best, before] } };
  broker.routes[`/api/v1/submissions/${ID}/events`] = { json: { ...said(), submission: before } };
  const { stdout } = await run(["show", ID]);
  expect(stdout).toMatch(/Accuracy: +1\.001\n/);
  expect(stdout).toMatch(/Rank: +5, by your best submission\n/);
  expect(stdout).toMatch(/Rank when graded: +2 \(up 2\), your best then\n/);
  const listed = (await run(["submissions"], TTY)).stdout;
  expect(listed).toMatch(/Score +Rank +Now +Submitted/);
  expect(listed).toMatch(/b{16} .* 1\.001 +2 +5 /);
  expect(listed).toMatch(/abcdefgh01234567 .* 1\.001 +2 +\d+ days/);
  expect((await run(["submissions"])).stdout).toMatch(/\t2\t5\n.*\t2\t\n$/);
  expect((await run(["logs", ID])).stderr).toContain("Graded. Accuracy: 1.001");
});

test("whoami says when the key is an organizer's", async () => {
  const organizer = { id: 3, name: "org", challenges: ["iris", "mnist"] };
  broker.routes["/api/v1/me"] = { error: "not_allowed", details: { organizer } };
  const text = await run(["whoami"]);
  expect(text).toMatchObject({ code: 0, stdout: "org\n" });
  expect(text.stderr).toContain("with the organizer's API key from CROWDAI_API_KEY");
  expect(text.stderr).toContain("It manages iris, mnist; only participants can submit.");
  const { stdout } = await run(["whoami", "--format", "json"]);
  expect(JSON.parse(stdout)).toMatchObject({ participant: null, organizer });
});

test("config set warns only when another source sets another value", async () => {
  const env = { CROWDAI_CHALLENGE: "iris" };
  expect((await run(["config", "set", "challenge", "iris"], {}, env)).stderr).not.toContain("precedence");
  expect((await run(["config", "set", "challenge", "mnist"], {}, env)).stderr).toContain(
    "CROWDAI_CHALLENGE sets another challenge and takes precedence.",
  );
  expect((await run(["config", "set", "broker", `${broker.url}/`])).stderr).not.toContain("precedence");
});
