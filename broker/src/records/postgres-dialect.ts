import { CrowdaiError } from "@crowdai/shared";
import { type DatabaseConnection, type Driver, PostgresDialect } from "kysely";

/** What the system says of a server that cannot be reached. */
const SYSTEM = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
]);
/** What the server says when it starts, stops, has no room, or ends an idle transaction: classes and codes of its documentation's appendix A. */
const SERVER = /^(08|57P0|53300|25P03)/;
/** What the driver says without a code. */
const DRIVER =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/** PostgreSQL that tells of a server that is away as records_unreachable: it comes back, and the same request may then pass. */
export class ErrorMappingPostgresDialect extends PostgresDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    const known = new WeakSet<DatabaseConnection>();
    driver.acquireConnection = async (options) => {
      const connection = await acquire(options).catch(explain);
      if (!known.has(connection)) {
        known.add(connection);
        const execute = connection.executeQuery.bind(connection);
        connection.executeQuery = (query, given) => execute(query, given).catch(explain) as never;
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
  throw error;
}
