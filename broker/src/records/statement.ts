import type { Compilable, CompiledQuery, Insertable } from "kysely";
import type { Db } from "./records.ts";
import type { Tables } from "./tables.ts";

/** Stands for a value while the text is built. */
class Given {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** The text of a statement, and where its parameters come from. */
interface Text<O> {
  query: CompiledQuery<O>;
  /** The name of the value that is this parameter; null where it was there when the text was built. */
  names: readonly (string | null)[];
}

/** Runs one statement with these values and resolves to its rows. An undefined value counts as absent. */
export type Statement<V, O> = (db: Db, values: V) => Promise<O[]>;

/**
 * Creates a statement whose text is built once for each database and set of given values, for statements that
 * run with every submission: building the text costs more than running it. `build` must put each value into
 * the statement unchanged: it receives placeholders.
 */
export function statement<V extends object, O>(build: (db: Db, values: V) => Compilable<O>): Statement<V, O> {
  const made = new WeakMap<object, Map<string, Text<O>>>();
  return async (db, given) => {
    const values = given as Record<string, unknown>;
    const executor = db.getExecutor();
    // Transactions share it with their database.
    const { adapter } = executor;
    let texts = made.get(adapter);
    if (!texts) {
      texts = new Map();
      made.set(adapter, texts);
    }
    let shape = "";
    for (const name in values) if (values[name] !== undefined) shape += `${name},`;
    let text = texts.get(shape);
    if (!text) {
      text = textOf(build, db, values as V);
      texts.set(shape, text);
    }
    const { query, names } = text;
    const parameters = names.map((name, at) => (name === null ? query.parameters[at] : values[name]));
    const filled = { ...query, parameters };
    // Not `db.executeQuery`, whose layers for plugins and aborts, of which there are none, cost as much as a statement.
    return (await executor.provideConnection((connection) => connection.executeQuery<O>(filled))).rows;
  };
}

function textOf<V extends object, O>(
  build: (db: Db, values: V) => Compilable<O>,
  db: Db,
  values: V,
): Text<O> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const places = Object.fromEntries(given.map(([name]) => [name, new Given(name)]));
  const query = build(db, places as V).compile();
  return { query, names: query.parameters.map((value) => (value instanceof Given ? value.name : null)) };
}

/** Creates a statement that returns a single row, or none. */
export function lookup<V extends object, O>(
  build: (db: Db, values: V) => Compilable<O>,
): (db: Db, values: V) => Promise<O | undefined> {
  const run = statement(build);
  return async (db, values) => (await run(db, values))[0];
}

/** Creates an insertion of rows with the same columns, as one statement. */
export function insertion<T extends keyof Tables>(
  table: T,
): (db: Db, rows: readonly Insertable<Tables[T]>[]) => Promise<void> {
  const run = statement((db, values: Record<string, unknown>) => {
    const rows: Record<string, unknown>[] = [];
    for (const [name, value] of Object.entries(values)) {
      const [row, column] = name.split(" ") as [string, string];
      rows[Number(row)] = { ...rows[Number(row)], [column]: value };
    }
    return db.insertInto(table).values(rows as Insertable<Tables[T]>[]);
  });
  return async (db, rows) => {
    const values: Record<string, unknown> = {};
    for (const [index, row] of rows.entries())
      for (const [column, value] of Object.entries(row)) values[`${index} ${column}`] = value;
    await run(db, values);
  };
}
