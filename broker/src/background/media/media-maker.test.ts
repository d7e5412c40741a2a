import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ObjectStore } from "@crowdai/shared/objects";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeMigratedSqlite } from "../../../test/support/migrated-sqlite.ts";
import { until } from "../../../test/support/until.ts";
import type { Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { createMediaMaker } from "./media-maker.ts";

const NOW = new Date("2026-03-10T12:00:00.000Z");
const PNG = Uint8Array.from([
  0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52,
]);

const folder = mkdtempSync(join(tmpdir(), "crowdai-media-"));
let records: Records;
beforeAll(async () => {
  await writeMigratedSqlite(join(folder, "records.sqlite"));
  records = await openSqlite(join(folder, "records.sqlite"));
  await records.db
    .insertInto("participants")
    .values({ name: "ada", name_key: "ada", created_at: "" })
    .execute();
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

/** Queues an image as the media of a graded submission. */
async function queueImage(id: string): Promise<void> {
  const graded = {
    ...{ id, challenge: "test", participant_id: 1, round: "1", function: "submit", state: "graded" as const },
    ...{ message: null, dry_run: 0, post_challenge: 0, input_kind: "json" as const, input_name: null },
    ...{ input_size: 2, input_sha256: "", input_data: "{}", input_key: null, created_at: "" },
    ...{ accepted_at: "", deadline_at: null, attempt: 1, starts: 1, seq: 4, model_count: 0 },
  };
  await records.db.insertInto("submissions").values(graded).execute();
  const source = {
    name: "plot.png",
    key: "stored/plot",
    size: 5000,
    sha256: "0".repeat(64),
    type: "image/png",
  };
  await records.db
    .insertInto("media_work")
    .values({
      ...{ submission: id, attempt: 1, source: JSON.stringify(source), replaces: "[]", name: "0".repeat(32) },
      ...{ tries: 0, due_at: NOW.toISOString() },
    })
    .execute();
}

const work = () => records.db.selectFrom("media_work").select(["tries", "due_at"]).execute();

/** An image whose bytes never come to an end. */
function endless(): Readable {
  const bytes = new Readable({ read() {} });
  bytes.push(PNG);
  return bytes;
}

it("a broker that is stopped gives media in progress back, which does not count against them", async () => {
  let reads = 0;
  const objects = {
    async get(_key: string, range?: object) {
      reads++;
      return range ? [PNG] : endless();
    },
  } as unknown as ObjectStore;
  await queueImage("s1");
  for (let stops = 0; stops < 4; stops++) {
    reads = 0;
    const maker = await createMediaMaker({
      ...{ records, objects, folder: join(folder, "work"), clock: () => NOW },
      programs: { path: "", limitTools: {} as never, ffmpeg: null },
      log: pino({ level: "silent" }),
    });
    maker.soon();
    await until(async () => reads === 2);
    expect(await work()).toMatchObject([{ tries: 1 }]);
    await maker.stop();
    expect(await work()).toEqual([{ tries: 0, due_at: NOW.toISOString() }]);
  }
});
