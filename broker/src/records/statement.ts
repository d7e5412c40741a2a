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
  const kept = keptTexts<Text<O>>();
  return (db, given) => {
    const values = given as Record<string, unknown>;
    let place = kept(db);
    for (const name in values) if (values[name] !== undefined) place = place.next(name);
    place.text ??= textWithPlaces(build, db, given);
    const { query, names } = place.text;
    const parameters = names.map((name, at) => (name === null ? query.parameters[at] : values[name]));
    return run(db, query, parameters);
  };
}

/**
 * Keeps a text for each set of names, found name by name: putting them into one key would cost as much as the
 * statement.
 */
class Kept<T> {
  text: T | undefined;
  #next = new Map<string | number, Kept<T>>();

  next(name: string | number): Kept<T> {
    let found = this.#next.get(name);
    if (!found) {
      found = new Kept();
      this.#next.set(name, found);
    }
    return found;
  }
}

/** Creates a function that returns the texts kept for a database, which its transactions share. */
function keptTexts<T>(): (db: Db) => Kept<T> {
  const ofDatabase = new WeakMap<object, Kept<T>>();
  return (db) => {
    const { adapter } = db.getExecutor();
    let kept = ofDatabase.get(adapter);
    if (!kept) {
      kept = new Kept();
      ofDatabase.set(adapter, kept);
    }
    return kept;
  };
}

/**
 * Whether a query is that of a statement whose text is kept, so that a driver may keep what it makes of it.
 */
export const comesAgain = (query: CompiledQuery): boolean => "comesAgain" in query;

/**
 * Not `db.executeQuery`, whose layers for plugins and aborts, of which there are none, cost as much as a
 * statement.
 */
async function run<O>(db: Db, query: CompiledQuery<O>, parameters: readonly unknown[]): Promise<O[]> {
  const { sql, queryId } = query;
  const filled = { query: query.query, queryId, sql, parameters, comesAgain: true };
  return (await db.getExecutor().provideConnection((connection) => connection.executeQuery<O>(filled))).rows;
}

function textWithPlaces<V extends object, O>(
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
  const kept = keptTexts<CompiledQuery>();
  return async (db, rows) => {
    const first = rows[0] as Record<string, unknown>;
    const columns = Object.keys(first).filter((column) => first[column] !== undefined);
    const place = columns.reduce((at, column) => at.next(column), kept(db).next(rows.length));
    place.text ??= db.insertInto(table).values(rows).compile();
    const parameters: unknown[] = [];
    for (const row of rows as readonly Record<string, unknown>[])
      for (const column of columns) parameters.push(row[column]);
    await run(db, place.text, parameters);
  };
}
