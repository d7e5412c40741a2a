import { pino } from "pino";
import { expect, it } from "vitest";
import { startBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

it("a start logs requeued jobs where jobs were waiting, and none in a new data folder", async () => {
  const lines: { event?: string; jobs?: number }[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const requeued = () => lines.filter(({ event }) => event === "jobs_requeued");
  const test = await startBroker({ withGrader: false, log });
  try {
    const client = await test.connect();
    await client.submit({ input: { kind: "inline", data: { score: 1 } } });
    expect(requeued()).toEqual([]);
    const { db } = test.records;
    await until(async () => {
      const [attempt] = await db.selectFrom("attempts").select("published_at").execute();
      return attempt?.published_at != null;
    });
    await test.restart();
    await until(async () => requeued().length > 0);
    expect(requeued()).toMatchObject([{ jobs: 1 }]);
  } finally {
    await test.close();
  }
});
