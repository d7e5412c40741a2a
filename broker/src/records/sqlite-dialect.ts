import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Mutex } from "async-mutex";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
} from "kysely";
import { createGroupCommit } from "./group-commit.ts";
import type { DatabaseLog } from "./log-sync.ts";
import { QueryCompiler } from "./sqlite-query-compiler.ts";

/** Connections to one file. */
export interface SqliteConnections {
  /** Runs the transactions that may write, which share their commits. */
  writer: DatabaseSync;
  /** Runs queries outside transactions, and so sees only what is committed. */
  reader: DatabaseSync;
  /** Runs the read-only transactions, each of which sees one moment. */
  snapshots: DatabaseSync;
  /** Brings commits to the disk, which the writer leaves to it. */
  log: Omit<DatabaseLog, "failed">;
}

/**
 * Kysely over `node:sqlite`, which is part of Bun and Node.js, so that nothing has to be compiled.
 * Transactions and queries resolve when everything that they wrote or saw is on disk, so that no caller acts
 * on what a power failure could take back. Other requests are handled while the disk writes.
 */
export function sqliteDialect(connections: SqliteConnections): Dialect {
  return {
    createDriver: () => sqliteDriver(connections),
    createQueryCompiler: () => new QueryCompiler(),
    createAdapter: () => new Adapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class Adapter extends SqliteAdapter {
  /**
   * SQLite can roll back DDL; declaring it lets two programs that start at once migrate one after the other.
   */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
  /** The group commit serializes transactions. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

interface Connection extends DatabaseConnection {
  transaction: "none" | "write" | "read";
}

function sqliteDriver({ writer, reader, snapshots, log }: SqliteConnections): Driver {
  const [write, read, snapshot] = [statements(writer), statements(reader), statements(snapshots)];
  const snapshotMutex = new Mutex();
  // Differs after each commit of another connection that changed something. A transaction that only refused
  // has nothing to sync.
  const version = reader.prepare("pragma data_version");
  const readVersion = () => (version.get() as { data_version: number }).data_version;
  let known = readVersion();
  const groups = createGroupCommit((sql) => {
    write.run(sql);
    if (sql !== "commit") return;
    const now = readVersion();
    if (now !== known) log.grown();
    known = now;
  });

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
    await log.settle();
    return result;
  }

  async function readSettled<R>(statements: SqliteStatements, query: CompiledQuery): Promise<QueryResult<R>> {
    const result = statements.execute<R>(query);
    await log.settle();
    return result;
  }

  async function end(connection: Connection, endWriting: () => Promise<void>): Promise<void> {
    const mode = connection.transaction;
    connection.transaction = "none";
    if (mode === "read") {
      snapshots.exec("commit");
      snapshotMutex.release();
    }
    // After a failed commit there is nothing left to undo: its whole group was rolled back.
    if (mode !== "write") return;
    await endWriting();
    await log.settle();
  }

  return {
    async init() {},
    async acquireConnection() {
      const connection: Connection = {
        transaction: "none",
        async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
          if (connection.transaction === "write") return write.execute<R>(query);
          if (connection.transaction === "read") return readSettled<R>(snapshot, query);
          return onlyReads(query) ? readSettled<R>(read, query) : alone<R>(query);
        },
        // biome-ignore lint/correctness/useYield: SQLite answers whole; nothing here asks for a stream.
        async *streamQuery() {
          throw new Error("streaming is not supported");
        },
      };
      return connection;
    },
    async beginTransaction(connection, { accessMode }) {
      const mode = accessMode === "read only" ? "read" : "write";
      if (mode === "write") await groups.begin();
      else {
        await snapshotMutex.acquire();
        snapshots.exec("begin");
      }
      (connection as Connection).transaction = mode;
    },
    commitTransaction: (connection) => end(connection as Connection, groups.commit),
    rollbackTransaction: (connection) => end(connection as Connection, groups.rollback),
    async releaseConnection() {},
    async destroy() {
      groups.close();
      log.close();
      for (const one of [snapshot, read, write]) one.close();
    },
  };
}

/** Runs the statements of one connection, each prepared once. */
export interface SqliteStatements {
  execute<R>(query: CompiledQuery): QueryResult<R>;
  /** Runs a text without parameters, such as `begin`. */
  run(sql: string): void;
  close(): void;
}

export function statements(database: DatabaseSync): SqliteStatements {
  const prepared = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    let statement = prepared.get(sql);
    if (!statement) {
      statement = database.prepare(sql);
      // Values are parameters, so the number of distinct texts is limited except for lists of varying
      // length.
      if (prepared.size > 500) prepared.clear();
      prepared.set(sql, statement);
    }
    return statement;
  }

  return {
    execute<R>(query: CompiledQuery): QueryResult<R> {
      const statement = prepare(query.sql);
      const parameters = query.parameters as (string | number | bigint | null)[];
      if (returnsRows(query)) return { rows: statement.all(...parameters) as R[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    run: (sql) => void prepare(sql).run(),
    close() {
      prepared.clear();
      database.close();
    },
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
