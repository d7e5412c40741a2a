import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  CompiledQuery as Compiled,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** Kysely over `node:sqlite`, which Bun and Node.js both carry, so that nothing has to be compiled. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => sqliteDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalDdlAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/** SQLite does roll back DDL; saying so lets two programs that start at once migrate one after the other. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function sqliteDriver(database: DatabaseSync): Driver {
  const connection = sqliteConnection(database);
  // One connection, handed to one holder at a time: a transaction must not see another's statements inside it.
  let turn: Promise<void> = Promise.resolve();
  let release: () => void = () => {};
  const run = (sql: string) => connection.executeQuery(Compiled.raw(sql)).then(() => {});
  return {
    async init() {},
    async acquireConnection() {
      const before = turn;
      const mine = Promise.withResolvers<void>();
      turn = mine.promise;
      await before;
      release = mine.resolve;
      return connection;
    },
    // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later can then not fail midway.
    beginTransaction: (_, { accessMode }) => run(accessMode === "read only" ? "begin" : "begin immediate"),
    commitTransaction: () => run("commit"),
    rollbackTransaction: () => run("rollback"),
    async releaseConnection() {
      release();
    },
    async destroy() {
      connection.forget();
      database.close();
    },
  };
}

function sqliteConnection(database: DatabaseSync): DatabaseConnection & { forget(): void } {
  const prepared = new Map<string, StatementSync>();
  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      let statement = prepared.get(query.sql);
      if (!statement) {
        statement = database.prepare(query.sql);
        // Values are parameters, so the number of distinct texts is bounded but for lists of varying length.
        if (prepared.size > 500) prepared.clear();
        prepared.set(query.sql, statement);
      }
      const parameters = query.parameters as (string | number | bigint | null)[];
      if (returnsRows(query)) {
        const rows = statement.all(...parameters) as R[];
        return { rows };
      }
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    // biome-ignore lint/correctness/useYield: SQLite answers whole; nothing here asks for a stream.
    async *streamQuery() {
      throw new Error("streaming is not supported");
    },
    forget: () => prepared.clear(),
  };
}

function returnsRows({ query, sql }: CompiledQuery): boolean {
  if (query.kind === "SelectQueryNode") return true;
  if (query.kind === "RawNode") return /^\s*(select|with|pragma)\b|\breturning\b/i.test(sql);
  return "returning" in query && query.returning !== undefined;
}
