import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("keeps the contents and the constraints of the rebuilt tables", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("007-page-sessions");
  const events = [1, 2].map((seq) => ({ submission: "a", seq, at: "now", type: "log" as const, data: "{}" }));
  writer.exec(`
    insert into participants (id, name, name_key, created_at) values (1, 'ada', 'ada', '');
    insert into submissions (id, challenge, participant_id, round, function, state, dry_run, post_challenge, input_kind,
      input_size, input_sha256, created_at, attempt, starts, seq)
      values ('a', 'iris', 1, 'main', 'submit', 'submitted', 0, 0, 'json', 2, '', '', 1, 0, 2);`);
  await db.insertInto("events").values(events).execute();

  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("events").selectAll().orderBy("seq").execute()).toEqual(events);
  await expect(db.insertInto("events").values(events[0]!).execute()).rejects.toThrow(/UNIQUE/);
  await expect(
    db
      .insertInto("events")
      .values({ ...events[0]!, submission: "nobody" })
      .execute(),
  ).rejects.toThrow(/FOREIGN KEY/);
});
