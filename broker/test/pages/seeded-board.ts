import { join } from "node:path";
import sharp from "sharp";
import { rebuildStandings } from "../../src/domain/leaderboard/rebuild-standings.ts";
import { sortKeys } from "../../src/domain/leaderboard/standings.ts";
import { mediaKey } from "../../src/domain/media/media-keys.ts";
import { openObjects } from "../../src/startup/open-objects.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

const SCORE = { title: "Score", order: "descending", precision: 3 } as const;
const PUBLISHED = "2025-01-02T00:00:00Z";

export const PEOPLE = 60;

/**
 * A broker whose second round has ended with two pages of participants, written as records: grading them
 * would take longer than all that is asked of their board. The leader's submission has an image and published
 * code, a baseline stands fourth, and one came late.
 */
export async function startSeededBoard(): Promise<TestBroker> {
  const test = await startBroker({
    withGrader: false,
    challenges: [
      {
        title: "Guess the numbers",
        score: SCORE,
        after_end: "accept",
        rounds: [
          { id: "1", title: "Warm-up", ends_at: "2024-01-01T00:00:00Z" },
          { id: "2", title: "Final", starts_at: "2024-01-02T00:00:00Z", ends_at: "2025-01-01T00:00:00Z" },
        ],
      },
    ],
  });
  const { db } = test.records;
  const people = Array.from({ length: PEOPLE }, (_, i) => `p${String(i + 1).padStart(2, "0")}`);
  await db
    .insertInto("participants")
    .values(
      [...people, "late", "host"].map((name) => ({
        name,
        name_key: name,
        created_at: "2023-01-01T00:00:00Z",
      })),
    )
    .execute();
  const ids = new Map(
    (await db.selectFrom("participants").select(["id", "name"]).execute()).map(({ id, name }) => [name, id]),
  );
  const media = await storeImage(test);
  const graded = (id: string, name: string, score: number, more: object = {}) => ({
    id,
    challenge: "test",
    participant_id: ids.get(name) as number,
    round: "2",
    function: "submit",
    state: "graded" as const,
    dry_run: 0,
    post_challenge: 0,
    input_kind: "json" as const,
    input_size: 1,
    input_sha256: "",
    created_at: "2024-06-01T00:00:00Z",
    attempt: 1,
    starts: 1,
    seq: 1,
    score,
    ...sortKeys({ score: SCORE, score_secondary: null }, score, null),
    ...more,
  });
  await test.records.transaction(async (trx) => {
    const rows = [
      ...people.map((name, i) => graded(`of-${name}`, name, 1 - (i + 1) / 100)),
      graded("early", "p07", 0.5, { round: "1", created_at: "2023-06-01T00:00:00Z" }),
      graded("late", "late", 2, { post_challenge: 1, created_at: "2025-06-01T00:00:00Z" }),
      graded("baseline", "host", 0.9655, { baseline: 1, baseline_comment: "Linear regression" }),
    ];
    for (const row of rows) await trx.insertInto("submissions").values(row).execute();
    await trx
      .updateTable("submissions")
      .set({ ...media, publish: 1, published_at: PUBLISHED })
      .where("id", "=", "of-p01")
      .execute();
    await trx
      .insertInto("submission_code")
      .values({
        submission: "of-p01",
        challenge: "test",
        participant_id: ids.get("p01") as number,
        state: "stored",
        commit_name: "0123456789abcdef0123456789abcdef01234567",
        tree: "0123456789abcdef0123456789abcdef01234567",
        files: 2,
        bytes: 1000,
        holds: 0,
      })
      .execute();
    await rebuildStandings(trx, "test");
  });
  return test;
}

async function storeImage({ folder, broker }: TestBroker) {
  const { objects } = await openObjects({ s3: null, dataFolder: join(folder, "data") }, () => broker.url);
  const create = { width: 267, height: 200, channels: 3 as const, background: "#c60" };
  const [thumbnail, large] = [
    mediaKey("image", "thumb", "a".repeat(32), "webp"),
    mediaKey("image", "large", "b".repeat(32), "png"),
  ];
  await objects.put(thumbnail, await sharp({ create }).webp().toBuffer());
  await objects.put(large, await sharp({ create }).png().toBuffer());
  return { media_large: large, media_thumbnail: thumbnail, media_content_type: "image/png" };
}
