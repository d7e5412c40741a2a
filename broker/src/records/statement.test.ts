import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Records } from "./records.ts";
import { openSqlite } from "./sqlite.ts";
import { insertion, lookup, statement } from "./statement.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-statement-"));
let records: Records;
beforeAll(async () => {
  records = await openSqlite(join(folder, "records.sqlite"));
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

it("the text of a statement is built once for each set of values, and runs with the values of each call, in transactions too", async () => {
  let made = 0;
  const write = statement((db, { name, ...changed }: { name: string; value?: string | undefined }) => {
    made++;
    return db.insertInto("settings").values({ name, value: changed.value ?? "none" });
  });
  await write(records.db, { name: "a", value: "1" });
  await records.transaction((trx) => write(trx, { name: "b", value: "2" }));
  expect(made).toBe(1);
  // An undefined value is left out, which makes another set.
  await write(records.db, { name: "c", value: undefined });
  await write(records.db, { name: "d" });
  expect(made).toBe(2);
  const rows = await records.db
    .selectFrom("settings")
    .selectAll()
    .where("name", "in", ["a", "b", "c", "d"])
    .orderBy("name")
    .execute();
  expect(rows).toEqual([
    { name: "a", value: "1" },
    { name: "b", value: "2" },
    { name: "c", value: "none" },
    { name: "d", value: "none" },
  ]);
});

it("an insertion accepts several rows, and a lookup returns one or none", async () => {
  const insert = insertion("settings");
  await insert(records.db, [
    { name: "e", value: "5" },
    { name: "f", value: "it's 6" },
  ]);
  const find = lookup((db, { name }: { name: string }) =>
    db.selectFrom("settings").select("value").where("name", "=", name),
  );
  expect(await find(records.db, { name: "f" })).toEqual({ value: "it's 6" });
  expect(await find(records.db, { name: "e" })).toEqual({ value: "5" });
  expect(await find(records.db, { name: "absent" })).toBeUndefined();
});

it("an insertion leaves out columns without a value", async () => {
  const rows = [{ id: undefined, name: "ada", name_key: "ada", created_at: "" }];
  await insertion("participants")(records.db, rows as never);
  const found = await records.db.selectFrom("participants").select(["id", "name"]).execute();
  expect(found).toEqual([{ id: expect.any(Number), name: "ada" }]);
});
