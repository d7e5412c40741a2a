import { createSubmissionId, type Leaderboard } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Run, runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { MIT_DIGEST } from "../../src/domain/agreements/mit-license.ts";
import { type Ran, runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";

let test: TestBroker;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  test = await startBroker({ challenges: [{ rounds: [{ id: "1", limit: { count: 2, per: "round" } }] }] });
  home = await temporaryFolder();
});
afterAll(async () => {
  await test.close();
  await home[Symbol.asyncDispose]();
});

const participant = (...args: string[]): Promise<Ran> =>
  runCommand(test.folder, ["participant", ...args, "--data", "data"]);
const crowdai = (key: string, ...args: string[]): Promise<Run> =>
  runCli(args, { cwd: home.path, env: { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: key } });
async function keyOf(...args: string[]): Promise<string> {
  const ran = await participant(...args);
  expect(ran).toMatchObject({ code: 0 });
  return ran.stdout.trim();
}
const statusOf = async (key: string): Promise<number> => (await test.fetch("/api/v1/me", { key })).status;
const board = async (): Promise<Leaderboard["rows"]> =>
  ((await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard).rows;

async function submit(key: string, score: number): Promise<string> {
  const client = await test.connect({ key });
  const id = createSubmissionId();
  await client.submit({ id, input: { kind: "inline", data: { score } } });
  await untilEnd(client, id);
  return id;
}
const agree = (key: string) =>
  test.fetch("/api/v1/agreements/mit", { key, method: "POST", body: { digest: MIT_DIGEST, where: "page" } });

describe("named keys", () => {
  it("work side by side, and show their owner alone their labels and last use", async () => {
    const laptop = await keyOf("add", "named", "--label", "laptop");
    const ci = await keyOf("key", "named", "--label", "CI", "--keep-others");
    expect([await statusOf(laptop), await statusOf(ci)]).toEqual([200, 200]);

    const { stdout, stderr } = await crowdai(laptop, "whoami");
    expect(stdout).toBe("named\n");
    expect(stderr).toMatch(/Keys: laptop \(this one\); CI \(used \d+ s ago\)\./);
    const { keys } = JSON.parse((await crowdai(ci, "whoami", "--format", "json")).stdout);
    expect(keys).toMatchObject([
      { label: "laptop", member: null, current: false },
      { label: "CI", last_used_at: expect.any(String), current: true },
    ]);
    expect((await participant("list")).stdout).toMatch(
      /\tnamed\t0\tactive\t\S{10}\tlaptop \(added \S{10}, used \S{10}\); CI \(added \S{10}, used \S{10}\)\n/,
    );
    await submit(ci, 1);
    expect((await board()).find((row) => row.participant === "named")?.members).toEqual([]);
  });

  it("are replaced and revoked one by one, by label in any case", async () => {
    const first = await keyOf("add", "rotating", "--label", "laptop");
    const ci = await keyOf("key", "rotating", "--label", "CI", "--keep-others");
    const second = await keyOf("key", "rotating", "--label", "Laptop", "--keep-others");
    expect(await Promise.all([first, ci, second].map(statusOf))).toEqual([401, 200, 200]);

    expect(await participant("revoke", "rotating", "--label", "ci")).toMatchObject({
      code: 0,
      stderr: "Revoked 1 key of rotating.\n",
    });
    expect(await Promise.all([ci, second].map(statusOf))).toEqual([401, 200]);
    expect(await participant("revoke", "rotating", "--label", "ci")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('rotating has no active key with the label "CI".'),
    });

    const only = await keyOf("key", "rotating");
    expect(await Promise.all([second, only].map(statusOf))).toEqual([401, 200]);
    for (const label of ["", " x", "a\nb", "x".repeat(101)])
      expect(await participant("key", "rotating", "--label", label)).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("a team", () => {
  let ada: string;
  let grace: string;
  beforeAll(async () => {
    ada = await keyOf("add", "Rocket", "--member", "Ada Lovelace");
    grace = await keyOf("key", "Rocket", "--member", "Gräce", "--label", "desk", "--keep-others");
  });

  it("is one entry that lists its members, and shares its limits", async () => {
    await submit(ada, 2);
    const id = await submit(grace, 3);
    const seenBy = async (key: string | null) =>
      (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as { member: string | null };
    expect(await seenBy(ada)).toMatchObject({ member: "Gräce" });
    const row = (await board()).find(({ participant: name }) => name === "Rocket");
    expect(row).toMatchObject({ members: ["Ada Lovelace", "Gräce"], score: 3, entries: 2 });
    const page = await (await fetch(`${test.broker.url}/challenges/test`)).text();
    expect(page).toMatch(/Rocket.*Ada Lovelace, Gräce/s);
    expect(page).not.toContain("desk");
    const shown = await crowdai(ada, "leaderboard", "test");
    expect(shown.stdout).toContain("Rocket");
    await expect(submit(ada, 4)).rejects.toMatchObject({ code: "no_slots" });
    expect((await crowdai(grace, "whoami")).stderr).toContain(
      "The key is that of Gräce, a member of Rocket.",
    );
  });

  it("agrees to the license member by member", async () => {
    const agreed = async (key: string) =>
      JSON.parse((await crowdai(key, "whoami", "--format", "json")).stdout).agreed;
    expect((await agree(ada)).status).toBe(200);
    expect([await agreed(ada), await agreed(grace)]).toEqual([true, false]);
    const rows = await test.records.db.selectFrom("agreements").select("member").execute();
    expect(rows).toEqual([{ member: "Ada Lovelace" }]);
  });

  it("publishes only the code of members who agreed", async () => {
    const id = (await board()).find(({ participant: name }) => name === "Rocket")!.submission;
    const publish = async (key: string) => {
      const path = `/api/v1/submissions/${id}/publish`;
      const answer = await test.fetch(path, { key, method: "POST", body: {} });
      return ((await answer.json()) as { error: unknown }).error;
    };
    expect(await publish(ada)).toMatchObject({
      code: "agreement_missing",
      message: "Gräce, whose code this is, has not agreed to the license.",
    });
    expect(await publish(grace)).toMatchObject({
      code: "agreement_missing",
      details: { url: expect.any(String) },
    });
    await agree(grace);
    expect(await publish(ada)).toMatchObject({ code: "nothing_to_publish" });
  });

  it("keeps the others when a member leaves", async () => {
    const second = await keyOf("key", "Rocket", "--member", "gräce", "--label", "CI", "--keep-others");
    expect((await participant("revoke", "Rocket", "--member", "Gräce")).stderr).toBe(
      "Revoked 2 keys of Rocket.\n",
    );
    expect(await Promise.all([ada, grace, second].map(statusOf))).toEqual([200, 401, 401]);
    expect((await board()).find(({ participant: name }) => name === "Rocket")).toMatchObject({
      members: ["Ada Lovelace"],
      score: 3,
    });
  });
});
