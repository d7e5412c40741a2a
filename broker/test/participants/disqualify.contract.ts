import { writeFile } from "node:fs/promises";
import { createSubmissionId, type Leaderboard, type Submission } from "@crowdai/shared";
import { beforeAll, describe, expect, it } from "vitest";
import { createPageClient } from "../pages/page-client.ts";
import { type Ran, runCommand } from "../support/run-command.ts";
import { type TestBroker, untilEnd } from "../support/test-broker.ts";

/**
 * Disqualification, the same on both databases. `at` returns a broker with a grader and the challenges "test"
 * and "other".
 */
export function disqualifyContract(
  at: () => TestBroker,
  env: () => Record<string, string> = () => ({}),
): void {
  let grace: string;
  let linus: string;
  let best: string;
  beforeAll(async () => {
    grace = await at().addParticipant("Grace");
    linus = await at().addParticipant("linus");
    best = await submit(grace, 3);
    await submit(grace, 1);
    await submit(linus, 2);
    await submit(grace, 1, "other");
  }, 60_000);

  const participant = (...args: string[]): Promise<Ran> =>
    runCommand(at().folder, ["participant", ...args, "--data", "data"], { env: env() });
  const board = async (challenge = "test"): Promise<Leaderboard> =>
    (await (await at().fetch(`/api/v1/challenges/${challenge}/leaderboard`)).json()) as Leaderboard;
  const names = async (challenge?: string) => (await board(challenge)).rows.map((row) => row.participant);
  const view = async (key: string, id: string) =>
    (await (await at().fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;

  async function submit(key: string, score: number, challenge = "test"): Promise<string> {
    const client = await at().connect({ key, challenge });
    const id = createSubmissionId();
    await client.submit({ id, challenge, input: { kind: "inline", data: { score } } });
    await untilEnd(client, id);
    client.socket.disconnect();
    return id;
  }

  describe("a disqualified participant", () => {
    it("leaves the boards, is refused with the reason, and returns as before", async () => {
      const before = await board();
      expect(before.rows.map((row) => row.participant)).toEqual(["Grace", "linus"]);
      const reader = await at().connect({ key: linus });
      const told = new Promise<{ version: number }>((resolve) => reader.socket.once("leaderboard", resolve));
      await reader.ask("watch_board", { challenge: "test" });

      expect(await participant("disqualify", "grace", "--reason", "Two <b>accounts")).toMatchObject({
        code: 0,
        stderr: "grace is disqualified in all challenges.\n",
      });
      expect((await told).version).toBeGreaterThan(before.version);
      expect([await names(), await names("other")]).toEqual([["linus"], []]);
      expect((await board()).rows[0]).toMatchObject({ rank: 1 });

      const refused = {
        code: "disqualified",
        fault: "you",
        message: "You are disqualified: Two <b>accounts",
      };
      await expect(submit(grace, 9)).rejects.toMatchObject(refused);
      const call = {
        challenge: "test",
        function: "evaluate",
        items: [{ id: createSubmissionId(), data: { x: 1 } }],
      };
      const called = await at().fetch("/api/v1/calls", { key: grace, method: "POST", body: call });
      expect(await called.json()).toMatchObject({ error: { code: "disqualified" } });

      expect(await view(grace, best)).toMatchObject({ disqualified: { reason: "Two <b>accounts" } });
      const person = createPageClient(at());
      await person.signIn(grace);
      for (const path of [`/submissions/${best}`, "/submissions", "/challenges/test"])
        expect(await (await person.get(path)).text()).toContain("Two &lt;b&gt;accounts");
      const other = createPageClient(at());
      expect(await (await other.get("/challenges/test")).text()).not.toMatch(/Grace|accounts|>3\.000</);
      expect((await participant("list")).stdout).toMatch(
        /\tGrace\t.*\tdisqualified in all challenges on .*accounts/,
      );

      expect(await participant("disqualify", "Grace", "--reason", "again")).toMatchObject({ code: 2 });
      expect(await participant("reinstate", "Grace", "--challenge", "test")).toMatchObject({ code: 2 });
      expect(await participant("reinstate", "Grace")).toMatchObject({
        code: 0,
        stderr: "Grace counts again in all challenges.\n",
      });
      expect((await board()).rows).toEqual(before.rows);
      expect(await names("other")).toEqual(["Grace"]);
      expect(await view(grace, best)).toMatchObject({
        disqualified: null,
        standing: { rank: 1, best: true },
      });
      expect(await participant("reinstate", "Grace")).toMatchObject({ code: 2 });
      reader.socket.disconnect();
    });

    it("counts elsewhere when it is for one challenge", async () => {
      await participant("disqualify", "linus", "--challenge", "test", "--reason", "Used the answers");
      expect(await names()).toEqual(["Grace"]);
      await submit(linus, 5, "other");
      expect(await names("other")).toEqual(["linus", "Grace"]);
      await expect(submit(linus, 9)).rejects.toMatchObject({
        message: "You are disqualified in test: Used the answers",
      });
      expect(await participant("reinstate", "linus", "--challenge", "test")).toMatchObject({ code: 0 });
      expect(await names()).toEqual(["Grace", "linus"]);
      const log = await at()
        .records.db.selectFrom("disqualifications")
        .select(["decision", "challenge"])
        .execute();
      expect(log.slice(-2)).toEqual([
        { decision: "disqualified", challenge: "test" },
        { decision: "reinstated", challenge: "test" },
      ]);
    });

    it("needs a reason", async () => {
      for (const reason of [[], ["--reason", " "], ["--reason", "x".repeat(1001)]])
        expect(await participant("disqualify", "linus", ...reason)).toMatchObject({ code: 2, stdout: "" });
      expect(await participant("disqualify", "stranger", "--reason", "x")).toMatchObject({ code: 2 });
    });

    it("does not return with a submission that was being graded", async () => {
      const client = await at().connect({ key: linus });
      const id = createSubmissionId();
      const gate = `${at().folder}/gate-${id}`;
      await client.submit({ id, input: { kind: "inline", data: { score: 99, hold: gate } } });
      await participant("disqualify", "linus", "--reason", "x");
      await writeFile(gate, "");
      await untilEnd(client, id);
      expect(await names()).toEqual(["Grace"]);
      await participant("reinstate", "linus");
      expect(await names()).toEqual(["linus", "Grace"]);
      client.socket.disconnect();
    });
  });
}
