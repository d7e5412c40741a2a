import { join } from "node:path";
import { createSubmissionId, type Receipt, type Submission } from "@crowdai/shared";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { openSqlite } from "../../src/records/sqlite.ts";
import { type BrokerProcess, createBrokerProcess } from "../support/broker-process.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const ROUNDS = 6;
const EACH_ROUND = 15;

describe("a broker that is killed with -9 repeatedly", () => {
  let broker: BrokerProcess;
  beforeEach(async () => {
    broker = await createBrokerProcess();
  });
  afterEach(() => broker.close());

  it("loses no acknowledged submission, grades each once, and charges one slot each", {
    timeout: 300_000,
  }, async () => {
    await writeChallenge(join(broker.folder, "challenges"));
    let url = await broker.start();
    const records = await openSqlite(join(broker.folder, "data/records.sqlite"));
    const key = await addParticipant(records, "ada", new Date().toISOString());
    const post = async <T>(path: string, body: unknown): Promise<T | null> => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const sent = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) }).catch(
        () => null,
      );
      return sent?.ok ? ((await sent.json().catch(() => null)) as T | null) : null;
    };

    const acknowledged = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      let acknowledgedNow = 0;
      const sent = Array.from({ length: EACH_ROUND }, async (_, i) => {
        const id = createSubmissionId();
        const input = { kind: "inline", data: { score: i / 100, progress: [50] } };
        if (!(await post<Receipt>("/api/v1/submissions", { id, challenge: "test", input }))) return;
        acknowledged.add(id);
        acknowledgedNow++;
      });
      // Each round is killed at a different moment: while accepting, grading or answering.
      const target = Math.floor((round * EACH_ROUND) / (ROUNDS - 1));
      await until(async () => acknowledgedNow >= target);
      await broker.kill();
      await Promise.all(sent);
      url = await broker.start();
    }
    expect(acknowledged.size).toBeGreaterThan(0);

    for (const id of acknowledged) {
      let submission: Submission | undefined;
      for (let tries = 0; tries < 600 && submission?.state !== "graded"; tries++) {
        const answer = await fetch(
          `${url}/api/v1/submissions/${id}/events?wait=5&after=${submission?.seq ?? 0}`,
          {
            headers: { authorization: `Bearer ${key}` },
          },
        );
        submission = ((await answer.json()) as { submission: Submission }).submission;
      }
      expect(submission).toMatchObject({ state: "graded", slot: "charged" });
    }
    const count = async (query: ReturnType<typeof sql<{ n: number }>>) =>
      (await query.execute(records.db)).rows[0]?.n;
    // Submissions whose answer was lost are graded as well, perhaps after the last answered one.
    await until(
      async () => (await count(sql`select count(*) n from submissions where state <> 'graded'`)) === 0,
    );
    expect(
      await count(
        sql`select count(*) n from attempts where accepted = 1 and submission not in (select id from submissions where state = 'graded')`,
      ),
    ).toBe(0);
    expect(
      await count(
        sql`select count(*) n from (select submission from events where type = 'graded' group by submission having count(*) > 1)`,
      ),
    ).toBe(0);
    expect(
      await count(
        sql`select count(*) n from (select submission from events group by submission having max(seq) <> count(*))`,
      ),
    ).toBe(0);
    expect(await count(sql`select count(*) n from slots where state <> 'charged'`)).toBe(0);
    await records.close();
  });
});
