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

/** Runs one statement with these values and resolves to its rows. An undefined value counts as absent. */
export type Statement<V, O> = (db: Db, values: V) => Promise<O[]>;

/**
 * Creates a statement whose text is built once for each database and set of given values, for statements that
 * run with every submission: building the text costs more than running it. `build` must put each value into
 * the statement unchanged: it receives placeholders.
 */
export function statement<V extends object, O>(build: (db: Db, values: V) => Compilable<O>): Statement<V, O> {
  const made = new WeakMap<object, Map<string, CompiledQuery<O>>>();
  return async (db, given) => {
    const values = given as Record<string, unknown>;
    // Transactions share it with their database.
    const { adapter } = db.getExecutor();
    let texts = made.get(adapter);
    if (!texts) {
      texts = new Map();
      made.set(adapter, texts);
    }
    const names = Object.keys(values).filter((name) => values[name] !== undefined);
    const shape = names.join();
    let text = texts.get(shape);
    if (!text) {
      const places = Object.fromEntries(names.map((name) => [name, new Given(name)]));
      text = build(db, places as V).compile();
      texts.set(shape, text);
    }
    const parameters = text.parameters.map((value) => (value instanceof Given ? values[value.name] : value));
    return (await db.executeQuery<O>({ ...text, parameters })).rows;
  };
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
