import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves older attempts without the record of an environment, and sessions without instances", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("010-runs");
  writer.exec(`
    insert into participants (id, name, name_key, created_at) values (1, 'ada', 'ada', '');
    insert into submissions (id, challenge, participant_id, round, function, state, dry_run, post_challenge, input_kind,
      input_size, input_sha256, created_at, attempt, starts, seq)
      values ('a', 'iris', 1, 'main', 'submit', 'graded', 0, 0, 'json', 2, '', '', 1, 0, 2);
    insert into attempts (submission, number, state, delivery, accepted, outcome)
      values ('a', 1, 'done', 1, 1, '{"ok":true}');`);
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("attempts").select(["outcome", "environment"]).execute()).toEqual([
    { outcome: '{"ok":true}', environment: null },
  ]);
  expect(await db.selectFrom("environment_instances").selectAll().execute()).toEqual([]);
});
