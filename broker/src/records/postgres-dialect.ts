import { CrowdaiError } from "@crowdai/shared";
import { type DatabaseConnection, type Driver, PostgresDialect, type PostgresDialectConfig } from "kysely";
import { comesAgain } from "./statement.ts";
import type { StatementNames } from "./statement-names.ts";

/** Error codes of the system for an unreachable server. */
const SYSTEM = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
]);
/**
 * Error classes and codes of a server that starts, stops, has no free connection or ends an idle transaction
 * (appendix A of the PostgreSQL documentation).
 */
const SERVER = /^(08|57P0|53300|25P03)/;
/** Values that a column cannot hold: only a client sends them. */
const UNSTORABLE: Record<string, string> = {
  "22003": "a number that is out of range",
  "22021": "text with a null byte",
  "22P05": "text with a null byte",
};
/** Messages of the driver for errors without a code. */
const DRIVER =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/**
 * PostgreSQL that reports an unreachable server as records_unreachable: the same request may succeed later.
 * Reports values that it cannot store as usage. Tells `names` which statements will come again.
 */
export class ErrorMappingPostgresDialect extends PostgresDialect {
  readonly #names: Pick<StatementNames, "add"> | undefined;

  constructor(config: PostgresDialectConfig, names?: Pick<StatementNames, "add">) {
    super(config);
    this.#names = names;
  }

  override createDriver(): Driver {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    const known = new WeakSet<DatabaseConnection>();
    driver.acquireConnection = async (options) => {
      const connection = await acquire(options).catch(explain);
      if (!known.has(connection)) {
        known.add(connection);
        const execute = connection.executeQuery.bind(connection);
        connection.executeQuery = (query, given) => {
          if (comesAgain(query)) this.#names?.add(query.sql);
          return execute(query, given).catch(explain) as never;
        };
      }
      return connection;
    };
    return driver;
  }
}

function explain(error: unknown): never {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (SYSTEM.has(code) || SERVER.test(code) || DRIVER.test(message))
    throw new CrowdaiError("records_unreachable", undefined, { cause: error });
  const value = UNSTORABLE[code];
  if (value !== undefined)
    throw new CrowdaiError("usage", `The request contains ${value}.`, { next: "Correct it.", cause: error });
  throw error;
}
