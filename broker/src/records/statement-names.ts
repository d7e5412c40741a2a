import type { ClientBase } from "pg";

/**
 * All columns of a table: such a statement, once prepared, fails as soon as a newer release adds a column.
 */
const ALL_COLUMNS = /(select|returning|,) ("?\w+"?\.)?\*/;

/** A connection of the server keeps this many, with their plans, at most. */
const MAX_NAMES = 500;

/**
 * Names for the statements whose text stays. PostgreSQL prepares one that has a name once for each
 * connection, and keeps its plan; otherwise it does both each time, which takes longer than running it.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();

  add(text: string): void {
    const { size } = this.#names;
    if (size < MAX_NAMES && !this.#names.has(text) && !ALL_COLUMNS.test(text))
      this.#names.set(text, `s${size}`);
  }

  /** Sends the names along with what this client sends. */
  useIn(client: ClientBase): void {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = ((text: unknown, values: unknown, ...more: unknown[]) => {
      const name = typeof text === "string" ? this.#names.get(text) : undefined;
      return name === undefined ? query(text, values, ...more) : query({ name, text, values }, ...more);
    }) as typeof client.query;
  }
}
