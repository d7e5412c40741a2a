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

const MOST_TOGETHER = 64;
const LONGEST_MS = 5;

/** Kysely over `node:sqlite`, which Bun and Node.js both carry, so that nothing has to be compiled. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => sqliteDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SharedConnectionAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class SharedConnectionAdapter extends SqliteAdapter {
  /** The driver below hands its one connection out by itself. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  /** SQLite does roll back DDL; saying so lets two programs that start at once migrate one after the other. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/**
 * One connection, handed to one holder at a time: a transaction must not see another's statements inside it. Transactions that follow
 * each other without a pause are committed together, for the sync to the disk is what costs: each is a savepoint in one transaction
 * of the database, and nobody gets an answer, not even to a mere reading, before that is on the disk.
 */
function sqliteDriver(database: DatabaseSync): Driver {
  const connection = sqliteConnection(database);
  const run = (sql: string) => void database.exec(sql);
  function attempt(sql: string): boolean {
    try {
      run(sql);
      return true;
    } catch {
      return false;
    }
  }
  let turn: Promise<void> = Promise.resolve();
  let release: () => void = () => {};
  let isHeld = false;
  let isReadOnly = false;
  let group: Group | null = null;

  function flush(): void {
    const ended = group;
    if (!ended) return;
    group = null;
    clearImmediate(ended.pause);
    try {
      run("commit");
      ended.resolve();
    } catch (error) {
      ended.reject(error);
      attempt("rollback");
    }
  }

  return {
    async init() {},
    async acquireConnection() {
      const before = turn;
      const mine = Promise.withResolvers<void>();
      turn = mine.promise;
      await before;
      isHeld = true;
      release = mine.resolve;
      return connection;
    },
    async beginTransaction(_, { accessMode }) {
      isReadOnly = accessMode === "read only" && group === null;
      if (isReadOnly) return run("begin");
      // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later can then not fail midway.
      if (!group) {
        run("begin immediate");
        group = createGroup();
      }
      group.transactions += 1;
      run("savepoint member");
    },
    async commitTransaction() {
      run(isReadOnly ? "commit" : "release member");
    },
    async rollbackTransaction() {
      if (isReadOnly) return run("rollback");
      // Some errors, as a full disk, end the whole transaction by themselves, and with it what others wrote in it.
      if (!attempt("rollback to member; release member")) flush();
    },
    async releaseConnection() {
      const mine = group;
      isHeld = false;
      if (mine) {
        if (mine.transactions >= MOST_TOGETHER || performance.now() - mine.began > LONGEST_MS) flush();
        else
          mine.pause ??= setImmediate(() => {
            mine.pause = undefined;
            if (!isHeld && group === mine) flush();
          });
      }
      release();
      await mine?.written;
    },
    async destroy() {
      flush();
      connection.forget();
      database.close();
    },
  };
}

/** Transactions that are committed together. */
interface Group {
  transactions: number;
  began: number;
  pause: NodeJS.Immediate | undefined;
  written: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

function createGroup(): Group {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever wrote in it waits for it, unless it had failed before.
  promise.catch(() => {});
  return { transactions: 0, began: performance.now(), pause: undefined, written: promise, resolve, reject };
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
