import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves older submissions without a sealed time", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("011-environments");
  writer.exec(`
    insert into participants (id, name, name_key, created_at) values (1, 'ada', 'ada', '');
    insert into submissions (id, challenge, participant_id, round, function, state, dry_run, post_challenge, input_kind,
      input_size, input_sha256, created_at, attempt, starts, seq)
      values ('a', 'iris', 1, 'main', 'submit', 'graded', 0, 0, 'json', 2, '', '', 1, 0, 2);`);
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("submissions").select("sealed_at").execute()).toEqual([{ sealed_at: null }]);
});
