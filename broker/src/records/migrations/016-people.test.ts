import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("preserves agreements, which stay unchangeable, and allows one of each member", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("014-device-logins");
  writer.exec(`
    insert into participants values (1, 'ada', 'ada', 'then');
    insert into licence_texts values ('digest', 'mit', 'text', 'then');
    insert into agreements values (7, 1, 'mit', 'digest', 'then', '::1', 'a client', 'page');
    insert into api_keys values ('key', 'participant', 1, 'then', null);
  `);
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  const kept = await db.selectFrom("agreements").selectAll().execute();
  expect(kept).toMatchObject([
    { id: 7, participant_id: 1, agreed_at: "then", given_at: "page", member: null },
  ]);
  expect(await db.selectFrom("api_keys").selectAll().execute()).toMatchObject([
    { hash: "key", label: null, member: null, last_used_at: null },
  ]);
  const again = (member: string) =>
    `insert into agreements (participant_id, licence, text_sha256, agreed_at, ip, user_agent, given_at, member)
     values (1, 'mit', 'digest', 'now', '::1', '', 'page', ${member})`;
  writer.exec(again("'Grace'"));
  for (const member of ["null", "'Grace'"]) expect(() => writer.exec(again(member))).toThrow("UNIQUE");
  expect(() => writer.exec("delete from agreements")).toThrow("never changed");
  writer.exec("insert into disqualifications values (1, 1, null, 'disqualified', 'why', 'now')");
  expect(() => writer.exec("update disqualifications set reason = ''")).toThrow("never changed");
});
