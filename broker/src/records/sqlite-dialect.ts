import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { createGroupCommit } from "./group-commit.ts";

/**
 * Kysely over `node:sqlite`, which Bun and Node.js both carry, so that nothing has to be compiled. Two connections to one file:
 * `writer` has the transactions, which share their commits; `reader` answers what is asked outside of them, and so sees
 * nothing that is not on disk.
 */
export function sqliteDialect(writer: DatabaseSync, reader: DatabaseSync): Dialect {
  return {
    createDriver: () => sqliteDriver(writer, reader),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new Adapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class Adapter extends SqliteAdapter {
  /** SQLite does roll back DDL; saying so lets two programs that start at once migrate one after the other. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
  /** The group commit hands out turns. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

interface Connection extends DatabaseConnection {
  inTransaction: boolean;
}

function sqliteDriver(writer: DatabaseSync, reader: DatabaseSync): Driver {
  const [write, read] = [statements(writer), statements(reader)];
  const groups = createGroupCommit((sql) => void writer.exec(sql));

  async function alone<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    await groups.begin();
    let result: QueryResult<R>;
    try {
      result = write.execute<R>(query);
    } catch (error) {
      await groups.rollback();
      throw error;
    }
    await groups.commit();
    return result;
  }

  return {
    async init() {},
    async acquireConnection() {
      const connection: Connection = {
        inTransaction: false,
        async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
          if (connection.inTransaction) return write.execute<R>(query);
          return onlyReads(query) ? read.execute<R>(query) : alone<R>(query);
        },
        // biome-ignore lint/correctness/useYield: SQLite answers whole; nothing here asks for a stream.
        async *streamQuery() {
          throw new Error("streaming is not supported");
        },
      };
      return connection;
    },
    async beginTransaction(connection) {
      await groups.begin();
      (connection as Connection).inTransaction = true;
    },
    async commitTransaction(connection) {
      (connection as Connection).inTransaction = false;
      await groups.commit();
    },
    async rollbackTransaction(connection) {
      // A commit that failed was rolled back with its whole group.
      if (!(connection as Connection).inTransaction) return;
      (connection as Connection).inTransaction = false;
      await groups.rollback();
    },
    async releaseConnection() {},
    async destroy() {
      groups.close();
      write.forget();
      read.forget();
      reader.close();
      writer.close();
    },
  };
}

function statements(database: DatabaseSync) {
  const prepared = new Map<string, StatementSync>();
  return {
    execute<R>(query: CompiledQuery): QueryResult<R> {
      let statement = prepared.get(query.sql);
      if (!statement) {
        statement = database.prepare(query.sql);
        // Values are parameters, so the number of distinct texts is bounded but for lists of varying length.
        if (prepared.size > 500) prepared.clear();
        prepared.set(query.sql, statement);
      }
      const parameters = query.parameters as (string | number | bigint | null)[];
      if (returnsRows(query)) return { rows: statement.all(...parameters) as R[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    forget: () => prepared.clear(),
  };
}

function onlyReads({ query, sql }: CompiledQuery): boolean {
  return query.kind === "SelectQueryNode" || (query.kind === "RawNode" && /^\s*select\b/i.test(sql));
}

function returnsRows({ query, sql }: CompiledQuery): boolean {
  if (query.kind === "SelectQueryNode") return true;
  if (query.kind === "RawNode") return /^\s*(select|with|pragma)\b|\breturning\b/i.test(sql);
  return "returning" in query && query.returning !== undefined;
}
