import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { openRecords } from "../../src/records/open.ts";
import { createRecordsClock } from "../../src/startup/records-clock.ts";

const HOUR = 3_600_000;
const aheadOf = (clock: () => Date) => Math.abs(Math.round((clock().getTime() - Date.now()) / HOUR));

function logged() {
  const events: unknown[] = [];
  const log = (fields: unknown) => void events.push(fields);
  return { events, log: { warn: log, info: log } as never };
}

it.skipIf(withoutService("postgres"))("a broker has the clock of its PostgreSQL server", async () => {
  const records = await openRecords({ dataFolder: "", databaseUrl: await createDatabase() });
  onTestFinished(() => records.close());
  const { events, log } = logged();
  let offset = HOUR;
  const { clock, measure } = await createRecordsClock(records, log, () => Date.now() + offset);
  expect(aheadOf(clock)).toBe(0);
  await measure();
  offset = -2 * HOUR;
  await measure();
  expect(aheadOf(clock)).toBe(0);
  offset = 0;
  await measure();
  expect(aheadOf(clock)).toBe(0);
  expect(events).toEqual([
    { event: "clock_differs", seconds_ahead: 3600 },
    { event: "clock_differs", seconds_ahead: -7200 },
    { event: "clock_agrees" },
  ]);
});

it("a broker with SQLite has the clock of its machine", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "crowdai-clock-"));
  const records = await openRecords({ dataFolder, databaseUrl: undefined });
  onTestFinished(async () => {
    await records.close();
    rmSync(dataFolder, { recursive: true });
  });
  const { clock } = await createRecordsClock(records, logged().log, () => Date.now() + HOUR);
  expect(aheadOf(clock)).toBe(1);
});
