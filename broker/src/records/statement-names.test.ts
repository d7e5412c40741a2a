import type { ClientBase } from "pg";
import { expect, it } from "vitest";
import { StatementNames } from "./statement-names.ts";

/** A connection that answers a query with what it was given. */
function connect(names: StatementNames) {
  const client = { query: (...given: unknown[]) => given } as unknown as ClientBase;
  names.useIn(client);
  return (...given: unknown[]): unknown => (client.query as (...given: unknown[]) => unknown)(...given);
}

/** Returns the name with which a text is sent; undefined where it is sent as it is. */
function nameOf(names: StatementNames, text: string): string | undefined {
  const [given] = connect(names)(text, []) as [string | { name: string }];
  return typeof given === "string" ? undefined : given.name;
}

it("the text of a statement has one name of its own on all connections", () => {
  const names = new StatementNames();
  for (const text of ["select a from t", "select b from t", "select a from t"]) names.add(text);
  const [a, b] = [nameOf(names, "select a from t"), nameOf(names, "select b from t")];
  expect(a).toBeDefined();
  expect(b).toBeDefined();
  expect(a).not.toBe(b);
  expect(nameOf(names, "select a from t")).toBe(a);
});

it("a named statement is sent with its values, and with what else is given", () => {
  const names = new StatementNames();
  names.add("select a from t");
  const send = connect(names);
  const done = () => {};
  expect(send("select a from t", [1], done)).toEqual([
    { name: expect.any(String), text: "select a from t", values: [1] },
    done,
  ]);
});

it("all else is sent as it is", () => {
  const names = new StatementNames();
  names.add("select a from t");
  const send = connect(names);
  const [done, cursor] = [() => {}, { submit() {} }];
  expect(send("select b from t", [1], done)).toEqual(["select b from t", [1], done]);
  expect(send(cursor)).toEqual([cursor, undefined]);
});

it.each([
  "select * from t",
  'select "board_rounds".* from board_rounds',
  "select t.* from t",
  "select a, * from t",
  'insert into t values ($1) returning "t".*',
])("a statement that returns all columns is not prepared, which a new column would break: %s", (text) => {
  const names = new StatementNames();
  names.add(text);
  expect(nameOf(names, text)).toBeUndefined();
});

it.each(["select count(*) from t", "select a * 2 from t", 'select a from t where "t".a * $1 > 3'])(
  "a statement that calculates is prepared: %s",
  (text) => {
    const names = new StatementNames();
    names.add(text);
    expect(nameOf(names, text)).toBeDefined();
  },
);

it("a connection prepares at most 500 statements", () => {
  const names = new StatementNames();
  for (let at = 0; at < 502; at++) names.add(`select ${at}`);
  expect([499, 500, 501].map((at) => nameOf(names, `select ${at}`) !== undefined)).toEqual([
    ...[true, false, false],
  ]);
});
