import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("notes ended uploads from then on", async () => {
  const { db, migrations } = await recordsMigratedTo("019-profiles");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  await db.insertInto("ended_uploads").values({ submission: "s", due_at: "then" }).execute();
  expect(await db.selectFrom("ended_uploads").selectAll().execute()).toEqual([
    { submission: "s", due_at: "then" },
  ]);
});
