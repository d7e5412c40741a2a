import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Leaderboard } from "@crowdai/shared";
import { type ChallengeConfig, challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import type { Catalog } from "../../src/domain/challenges/catalog.ts";
import type { BoardPlace } from "../../src/domain/leaderboard/boards.ts";
import { type BoardQuery, readLeaderboard } from "../../src/domain/leaderboard/leaderboard.ts";
import { writeGrade } from "../../src/domain/submissions/write-outcome.ts";
import type { Db, Records } from "../../src/records/records.ts";
import { openSqlite } from "../../src/records/sqlite.ts";
import type { SubmissionRow, Tables } from "../../src/records/tables.ts";
import { writeMigratedSqlite } from "./migrated-sqlite.ts";

/** Participants, whose ids are 1, 2, 3 and 4. */
const PEOPLE = ["ada", "bob", "cid", "dan"] as const;
type Person = (typeof PEOPLE)[number];

const START = Date.parse("2026-01-01T00:00:00.000Z");
const MINUTE = 60_000;

/** Returns the moment that is so many minutes after the first submission's. */
export const minute = (minutes: number): string => new Date(START + minutes * MINUTE).toISOString();
export const idOf = (person: Person): number => PEOPLE.indexOf(person) + 1;

/** A grade, and columns of its submission that differ. */
export interface ToyGrade extends Partial<SubmissionRow> {
  secondary?: number | null;
  final?: number | null;
}

/** A challenge whose submissions come a minute after one another. */
export interface ToyChallenge {
  id: string;
  config: ChallengeConfig;
  /** Serves this challenge as it is configured by now. */
  catalog: Catalog;
  /** Names its board, the current one of round 1 by default. */
  place(board?: BoardPlace["board"]): BoardPlace;
  /** Changes its configuration. */
  configure(fields: object): void;
  /** Makes a submission, and returns its row. */
  submit(person: Person, columns?: Partial<SubmissionRow>): Promise<SubmissionRow>;
  /** Makes a submission that gets a grade, and returns its row with it. */
  grade(person: Person, score: number, more?: ToyGrade): Promise<SubmissionRow>;
  /** Writes to a submission's row alone, and returns it. */
  change(id: string, columns: Partial<SubmissionRow>): Promise<SubmissionRow>;
  read(query?: Partial<BoardQuery>): Promise<Leaderboard>;
  /** Returns the ranks, participants and scores of a board. */
  rows(query?: Partial<BoardQuery>): Promise<[number, string, number | null][]>;
  version(round?: string): Promise<number>;
}

/** Records with participants, whose submissions are graded without a broker. */
export interface ToyBoards {
  records: Records;
  db: Db;
  challenge(fields?: object): ToyChallenge;
  /** Writes a decision about a participant, in one challenge or in all. */
  decide(
    person: Person,
    challenge: string | null,
    decision: Tables["disqualifications"]["decision"],
  ): Promise<void>;
  close(): Promise<void>;
}

export async function openToyBoards(): Promise<ToyBoards> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-toy-boards-"));
  await writeMigratedSqlite(join(folder, "records.sqlite"));
  const records = await openSqlite(join(folder, "records.sqlite"));
  const people = PEOPLE.map((name) => ({ name, name_key: name, created_at: minute(0) }));
  await records.db.insertInto("participants").values(people).execute();
  let challenges = 0;
  return {
    records,
    db: records.db,
    challenge: (fields = {}) => toyChallenge(records, `toy-${++challenges}`, fields),
    async decide(person, challenge, decision) {
      const values = { participant_id: idOf(person), challenge, decision, reason: "copied", at: minute(0) };
      await records.db.insertInto("disqualifications").values(values).execute();
    },
    async close() {
      await records.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function toyChallenge(records: Records, id: string, fields: object): ToyChallenge {
  const { db } = records;
  let made = 0;
  const configOf = (more: object): ChallengeConfig =>
    challengeConfigSchema.parse({
      ...{ id, title: id, score: { order: "descending", precision: 2 } },
      ...{ evaluator: { command: ["true"] }, rounds: [{ id: "1" }], ...fields, ...more },
    });
  function insert(trx: Db, person: Person, columns: Partial<SubmissionRow> = {}): Promise<SubmissionRow> {
    const number = made++;
    const values = {
      ...{ id: `${id}-${number}`, challenge: id, participant_id: idOf(person), round: "1" },
      ...{ function: "submit", state: "submitted" as const, dry_run: 0, post_challenge: 0 },
      ...{ input_kind: "json" as const, input_size: 1, input_sha256: "", created_at: minute(number) },
      ...{ attempt: 1, starts: 1, seq: 1, ...columns },
    };
    return trx.insertInto("submissions").values(values).returningAll().executeTakeFirstOrThrow();
  }
  const challenge: ToyChallenge = {
    id,
    config: configOf({}),
    catalog: { all: () => new Map([[id, { config: challenge.config }]]) } as unknown as Catalog,
    place: (board = "current") => ({ challenge: id, round: "1", board }),
    configure: (more) => {
      challenge.config = configOf(more);
    },
    submit: (person, columns) => insert(db, person, columns),
    async grade(person, score, { secondary = null, final = null, data = null, ...columns } = {}) {
      const outcome = {
        ...{ ok: true as const, score, score_secondary: secondary, score_final: final, message: null },
        ...{ meta: {}, data: data === null ? null : JSON.parse(data), media: null, artifacts: [] },
        evaluator_version: "1",
      };
      const graded = await records.transaction(async (trx) => {
        const row = await insert(trx, person, columns);
        await writeGrade(trx, challenge.config, row, outcome, new Date(row.created_at));
        return row;
      });
      return challenge.change(graded.id, {});
    },
    async change(submission, columns) {
      if (Object.keys(columns).length > 0)
        await db.updateTable("submissions").set(columns).where("id", "=", submission).execute();
      return db.selectFrom("submissions").selectAll().where("id", "=", submission).executeTakeFirstOrThrow();
    },
    read: (query = {}) =>
      readLeaderboard(db, challenge.config, {
        ...{ round: "1", board: "current", limit: 20, offset: 0, viewer: null },
        ...{ now: new Date(START), ...query },
      }),
    rows: async (query) =>
      (await challenge.read(query)).rows.map(({ rank, participant, score }) => [rank, participant, score]),
    version: async (round = "1") =>
      (
        await db
          .selectFrom("board_rounds")
          .select("version")
          .where("challenge", "=", id)
          .where("round", "=", round)
          .executeTakeFirstOrThrow()
      ).version,
  };
  return challenge;
}
