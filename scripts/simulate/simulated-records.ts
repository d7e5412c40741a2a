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
import type { Program, World } from "./world.ts";

/** One database in memory, which outlives every program that uses it, as PostgreSQL does. */
export interface Database {
  readonly sqlite: DatabaseSync;
  readonly statements: SqliteStatements;
  /** The program that is in a transaction. */
  owner: Program | null;
  /** Called after each commit. */
  committed: () => void;
  /** Empties every table. */
  clear(): void;
}

// One for all, since the texts of statements are kept by it.
const adapter = new SqliteAdapter();

export async function createDatabase(): Promise<Database> {
  const sqlite = new DatabaseSync(":memory:");
  const database: Database = {
    sqlite,
    statements: statements(sqlite),
    owner: null,
    committed: () => {},
    clear() {
      database.owner = null;
      for (const deletion of deletions) deletion.run();
    },
  };
  const always = { step: async () => {}, mayCrash: () => false };
  const migrating = new Kysely<Tables>({
    dialect: dialect(database, always, { name: "migrations", mortal: false, alive: true, onCrash: [] }),
  });
  await migrate(migrating, "sqlite");
  // Only a schedule's end deletes such rows.
  sqlite.exec("drop trigger disqualifications_no_delete");
  const deletions = tablesOf(sqlite).map((table) => sqlite.prepare(`delete from "${table}"`));
  return database;
}

/** Returns the tables, each before those that it refers to: without foreign keys, every statement would be prepared again. */
function tablesOf(sqlite: DatabaseSync): string[] {
  const named = sqlite
    .prepare("select name from sqlite_master where type = 'table' and name not like 'kysely%'")
    .all() as { name: string }[];
  const last: string[] = [];
  const visit = (table: string) => {
    if (last.includes(table)) return;
    const referred = sqlite.prepare(`pragma foreign_key_list("${table}")`).all() as { table: string }[];
    for (const other of referred) if (other.table !== table) visit(other.table);
    last.push(table);
  };
  for (const { name } of named) visit(name);
  return last.reverse();
}

const oneSubmission = lookup((trx, { id }: { id: string }) =>
  trx.selectFrom("submissions").selectAll().where("id", "=", id),
);

/** The records as a program sees them, which may crash before and after each statement and commit. */
export function recordsFor(database: Database, world: World, program: Program): Records {
  program.onCrash.push(() => {
    if (database.owner !== program) return;
    database.sqlite.exec("rollback");
    database.owner = null;
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

const never = new Promise<never>(() => {});

function driver(database: Database, world: Steps, program: Program): Driver {
  const { sqlite } = database;
  const isFree = () => database.owner === null;

  async function begin(): Promise<void> {
    await world.step(program, "begins a transaction", isFree);
    sqlite.exec("begin");
    database.owner = program;
  }

  async function end(how: "commit" | "rollback"): Promise<void> {
    sqlite.exec(how);
    database.owner = null;
    if (how === "commit") database.committed();
    await world.step(program, how === "commit" ? "has committed" : "has rolled back");
  }

  class Connection implements DatabaseConnection {
    inTransaction = false;
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      if (!program.alive) return never;
      if (!this.inTransaction) {
        await world.step(program, "queries", isFree);
        const result = database.statements.execute<R>(query);
        if (result.numAffectedRows !== undefined) database.committed();
        return result;
      }
      if (world.mayCrash(program, "a statement")) return never;
      return database.statements.execute<R>(query);
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
      if (!program.alive) return never;
      (connection as Connection).inTransaction = false;
      await end("commit");
    },
    async rollbackTransaction(connection) {
      if (!program.alive) return never;
      (connection as Connection).inTransaction = false;
      await end("rollback");
    },
    async releaseConnection() {},
    async destroy() {},
  };
}
