import { describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { webappContract } from "../../src/background/webapp/webapp.contract.ts";
import { rebuildStandings } from "../../src/domain/leaderboard/rebuild-standings.ts";
import { invite, listInvitations, uninvite } from "../../src/domain/participants/invitations.ts";
import { markBaseline } from "../../src/domain/submissions/mark-baseline.ts";
import { startBroker, untilEnd } from "../support/test-broker.ts";
import { startRemote, underTest } from "./webapp-proxy.ts";

describe.skipIf(withoutService("postgres"))("with records on PostgreSQL", () => {
  it("baselines and invitations are the same", async () => {
    const test = await startBroker({
      challenges: [{ visibility: { private: true } }],
      env: { DATABASE_URL: await createDatabase() },
    });
    const now = new Date().toISOString();
    expect(await invite(test.records, "ada", ["test", "test", "other"], now)).toBe(2);
    expect(await invite(test.records, "Ada", ["test"], now)).toBe(0);
    expect(await uninvite(test.records, "ada", ["other", "nothing"])).toBe(1);
    expect(await listInvitations(test.records.db)).toMatchObject([{ challenge: "test", participant: "ada" }]);

    const client = await test.connect();
    const submit = async (score: number) => {
      const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
      await untilEnd(client, submission.id);
      return submission.id;
    };
    const [best] = [await submit(0.9), await submit(0.5)];
    const standings = async () =>
      (await test.records.db.selectFrom("standings").select("sort_primary").execute()).map(
        (row) => -row.sort_primary,
      );
    expect(await standings()).toEqual([0.9, 0.9]);
    expect(await markBaseline(test.records, best, { comment: "ours" })).toMatchObject({
      baseline: 1,
      baseline_comment: "ours",
      rank: null,
    });
    expect(await standings()).toEqual([0.5, 0.5]);
    await test.records.transaction((trx) => rebuildStandings(trx, "test"));
    expect(await standings()).toEqual([0.5, 0.5]);
    await test.close();
  });

  webappContract("a webapp elsewhere", async (rounds) => {
    const [own, webapps] = [await createDatabase(), await createDatabase()];
    const databases = { env: { DATABASE_URL: own }, webappEnv: { DATABASE_URL: webapps } };
    return underTest(await startRemote({ rounds, ...databases }));
  });
});
