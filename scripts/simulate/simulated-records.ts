import { DatabaseSync } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
} from "kysely";
import { migrate, type Records } from "../../broker/src/records/records.ts";
import { type SqliteStatements, statements } from "../../broker/src/records/sqlite-dialect.ts";
import { QueryCompiler } from "../../broker/src/records/sqlite-query-compiler.ts";
import { lookup } from "../../broker/src/records/statement.ts";
import type { Tables } from "../../broker/src/records/tables.ts";
import { never, type Program, type World } from "./world.ts";

/** One database in memory, which outlives every program that uses it, as PostgreSQL does. */
export interface Database {
  readonly sqlite: DatabaseSync;
  readonly statements: SqliteStatements;
  /** The program that is in a transaction. */
  owner: Program | null;
  /** Called after each commit that changed something. */
  committed: () => void;
  /** Begins a schedule: nothing of it stays after `end`. */
  begin(participants: readonly string[], at: string): void;
  end(): void;
}

class Adapter extends SqliteAdapter {
  /** As in the product: a broker reads beside its transactions. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

// One for all, since the texts of statements are kept by it.
const adapter = new Adapter();

export async function createDatabase(): Promise<Database> {
  const sqlite = new DatabaseSync(":memory:");
  const database: Database = {
    sqlite,
    statements: statements(sqlite),
    owner: null,
    committed: () => {},
    begin(participants, at) {
      begin.run();
      for (const [index, name] of participants.entries()) addParticipant.run(index + 1, name, name, at);
    },
    end() {
      database.owner = null;
      database.committed = () => {};
      rollback.run();
    },
  };
  const always = { step: async () => {}, mayCrash: () => false };
  const migrating = new Kysely<Tables>({
    dialect: dialect(database, always, { name: "migrations", mortal: false, alive: true, onCrash: [] }),
  });
  await migrate(migrating, "sqlite");
  // Each schedule is one transaction, and those of its programs are savepoints in it.
  const [begin, rollback] = [sqlite.prepare("begin"), sqlite.prepare("rollback")];
  const addParticipant = sqlite.prepare(
    "insert into participants (id, name, name_key, created_at) values (?, ?, ?, ?)",
  );
  return database;
}

const oneSubmission = lookup((trx, { id }: { id: string }) =>
  trx.selectFrom("submissions").selectAll().where("id", "=", id),
);

/** The records as a program sees them, which may crash before and after each statement and commit. */
export function recordsFor(database: Database, world: World, program: Program): Records {
  program.onCrash.push(() => {
    if (database.owner === program) transactionsOf(database).end("rollback");
  });
  const db = new Kysely<Tables>({ dialect: dialect(database, world, program) });
  let states = 0;
  return {
    name: "in memory",
    dialect: "sqlite",
    db,
    state: async () => String(states++),
    transaction: (work) => db.transaction().execute(work),
    async lock() {},
    async lockShared() {},
    lockSubmission: (trx, id) => oneSubmission(trx, { id }),
    close: () => db.destroy(),
  };
}

type Steps = Pick<World, "step" | "mayCrash">;

function dialect(database: Database, world: Steps, program: Program): Dialect {
  return {
    createDriver: () => driver(database, world, program),
    createQueryCompiler: () => new QueryCompiler(),
    createAdapter: () => adapter,
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/** Transactions of programs, with statements that are prepared once. */
interface Transactions {
  begin(program: Program): void;
  end(how: "commit" | "rollback"): void;
  /** Runs a statement, and keeps in mind whether it wrote something. */
  execute<R>(query: CompiledQuery): QueryResult<R>;
  /** Whether something was written since the last call. */
  hasChanged(): boolean;
}

const known = new WeakMap<Database, Transactions>();

function transactionsOf(database: Database): Transactions {
  const made = known.get(database) ?? createTransactions(database);
  known.set(database, made);
  return made;
}

function createTransactions(database: Database): Transactions {
  const prepare = (text: string) => database.sqlite.prepare(text);
  const begin = prepare("savepoint program");
  const [release, undo] = [prepare("release program"), prepare("rollback to program")];
  let changed = false;
  return {
    begin(program) {
      begin.run();
      database.owner = program;
    },
    end(how) {
      if (how === "rollback") undo.run();
      release.run();
      database.owner = null;
    },
    execute<R>(query: CompiledQuery) {
      const result = database.statements.execute<R>(query);
      // One that returns the rows that it wrote does not count them.
      if (query.query.kind !== "SelectQueryNode") changed ||= result.numAffectedRows !== 0n;
      return result;
    },
    hasChanged() {
      const before = changed;
      changed = false;
      return before;
    },
  };
}

function driver(database: Database, world: Steps, program: Program): Driver {
  const transactions = transactionsOf(database);
  const isFree = () => database.owner === null;

  async function begin(): Promise<void> {
    await world.step(program, "begins a transaction", isFree);
    transactions.begin(program);
  }

  function announceCommit(): void {
    if (transactions.hasChanged()) database.committed();
  }

  async function end(how: "commit" | "rollback"): Promise<void> {
    transactions.end(how);
    if (how === "commit") announceCommit();
    await world.step(program, how === "commit" ? "has committed" : "has rolled back");
  }

  class Connection implements DatabaseConnection {
    inTransaction = false;
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      if (!program.alive) return never();
      if (!this.inTransaction) {
        await world.step(program, "queries", isFree);
        const result = transactions.execute<R>(query);
        announceCommit();
        return result;
      }
      if (world.mayCrash(program, "a statement")) return never();
      return transactions.execute<R>(query);
    }
    // biome-ignore lint/correctness/useYield: nothing here asks for a stream.
    async *streamQuery(): AsyncGenerator<never> {
      throw new Error("streaming is not supported");
    }
  }

  return {
    async init() {},
    acquireConnection: async () => new Connection(),
    async beginTransaction(connection) {
      await begin();
      (connection as Connection).inTransaction = true;
    },
    async commitTransaction(connection) {
      if (!program.alive) return never();
      (connection as Connection).inTransaction = false;
      await end("commit");
    },
    async rollbackTransaction(connection) {
      if (!program.alive) return never();
      (connection as Connection).inTransaction = false;
      await end("rollback");
    },
    async releaseConnection() {},
    async destroy() {},
  };
}
