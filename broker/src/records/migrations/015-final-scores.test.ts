import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves the boards of earlier rounds without final scores", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("014-device-logins");
  writer.exec("insert into board_rounds (challenge, round, version, border) values ('iris', '1', 7, null)");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("board_rounds").selectAll().execute()).toEqual([
    { challenge: "iris", round: "1", version: 7, border: null, finals: 0, final_shown: 0 },
  ]);
  expect(await db.selectFrom("final_scores").selectAll().execute()).toEqual([]);
  expect(await db.selectFrom("final_selections").selectAll().execute()).toEqual([]);
});
