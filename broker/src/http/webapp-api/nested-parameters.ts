import { Refusal } from "./webapp-errors.ts";

type Nested = { [name: string]: unknown };

/** How deep names may nest. */
const MAX_DEPTH = 32;
const NAME = /^([^[\]]+)((?:\[[^[\]]*\])+)$/;

/**
 * Nests named values into one object, as Rack does: `meta[key]` builds an object, `list[]` an array, and a
 * repeated plain name keeps the last value. No name reaches a prototype. Throws a Refusal when a name has two
 * forms at once, or nests too deeply.
 */
export function nest(pairs: Iterable<readonly [name: string, value: unknown]>): Nested {
  const root = empty();
  for (const [name, value] of pairs) {
    const [, base, brackets] = NAME.exec(name) ?? [];
    if (base === undefined || brackets === undefined) {
      root[name] = value;
      continue;
    }
    const steps = brackets.slice(1, -1).split("][");
    if (steps.length > MAX_DEPTH) throw new Refusal("Bad Request");
    put(root, base, steps, value);
  }
  return root;
}

function put(into: Nested, key: string, [step, ...rest]: string[], value: unknown): void {
  if (step === undefined) {
    into[key] = value;
    return;
  }
  if (step !== "") {
    into[key] ??= empty();
    const held = into[key];
    if (!isNested(held)) throw conflict(key, "Hash", held);
    put(held, step, rest, value);
    return;
  }
  into[key] ??= [];
  const list = into[key];
  if (!Array.isArray(list)) throw conflict(key, "Array", list);
  const [next, ...after] = rest;
  if (next === undefined) list.push(value);
  else {
    // `list[][a]` is set on the last entry, unless that has an `a` already.
    const last = list.at(-1);
    const open = isNested(last) && !(next in last) ? last : empty();
    if (open !== last) list.push(open);
    put(open, next, after, value);
  }
}

const empty = (): Nested => Object.create(null);

const isNested = (value: unknown): value is Nested =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;

function conflict(name: string, expected: string, held: unknown): Refusal {
  const got = Array.isArray(held) ? "Array" : isNested(held) ? "Hash" : "String";
  return new Refusal(`expected ${expected} (got ${got}) for param \`${name}'`);
}
