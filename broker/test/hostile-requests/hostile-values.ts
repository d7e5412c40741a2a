import { gzipSync } from "node:zlib";
import type { Random } from "./random.ts";

/** Segments of a path, as they are sent. */
export const SEGMENTS = [
  "x",
  "test",
  "%00",
  "%ff",
  "%E0%A4%A",
  "%",
  "..%2f..",
  "%2e%2e",
  "a".repeat(3000),
  "1e400",
  "-1",
  "1.5",
  "99999999999999999999",
  "%F0%9F%98%80",
  "%ED%A0%80",
  "__proto__",
  "constructor",
  "';--",
  "a%0d%0ab:c",
];

export const QUERIES = [
  "",
  "?",
  "?limit=%00&after=1e99&wait=0&round=%ff",
  "?limit=NaN&offset=-1&page=99999999999999999999",
  "?a[]=%ff&b[c]=1&b=2&b[]=3&[]=4&__proto__[x]=1",
  "?challenge=%00&challenge_client_name=%00&challenge=test",
  "?round=test&limit=10&page=2&sort=%00",
  "?%E0%A4%A=%",
  "?next=%00&service=git-upload-pack",
  "?service=git-receive-pack",
  "?key=%00&size=1e400&expires=NaN&signature=%ff&participant=%00&part=-1",
];

export const CONTENT_TYPES = [
  "application/json",
  "application/json",
  "application/json; charset=utf-16",
  "application/json;",
  "text/plain",
  "application/x-www-form-urlencoded",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "multipart/form-data",
  "application/x-git-receive-pack-request",
  "application/x-git-upload-pack-request",
  "application/octet-stream",
  ";;;",
  undefined,
];

const form = (value: string) =>
  `--x\r\nContent-Disposition: form-data; name="${value}"\r\n\r\n1\r\n--x--\r\n`;

/** Bodies, with their content coding. */
export const BODIES: readonly (readonly [body: string | Buffer, coding?: string])[] = [
  [""],
  ["{"],
  ["null"],
  ["[]"],
  ["1e999"],
  ['"text"'],
  ['{"a":NaN}'],
  ['\ufeff{"a":1}'],
  [Buffer.from("\ufeff{}", "utf16le")],
  [Buffer.from('{"id":"x"}', "utf16le")],
  [Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  [Buffer.from([0, 1, 2, 3, 255])],
  [gzipSync('{"id":"x"}')],
  [gzipSync('{"id":"x"}'), "gzip"],
  ["{}", "gzip"],
  ["{}", "br, zstd, unheard-of"],
  ["[".repeat(50_000)],
  ["[".repeat(50_000) + "]".repeat(50_000)],
  [`{"data":${"[".repeat(50_000)}${"]".repeat(50_000)}}`],
  ['{"__proto__":{"a":1},"constructor":1}'],
  ["a=b&c[]=%ff&d[e]=%zz&d=1"],
  [`${"a[b]".repeat(500)}=1`],
  ["token=%00&key=%00&next=%00&agree=yes&digest=%00&theme=%00"],
  [form("a")],
  [form("\u0000")],
  [form('"')],
  ["--x\r\nContent-Disposition: form-data\r\n\r\n"],
  ["0000"],
  ["ffff"],
  ["0011zzzz"],
];

export const HEADERS: readonly Record<string, string>[] = [
  {},
  {},
  { range: "bytes=9-1" },
  { range: "bytes=0-99999999999999999999,a-b" },
  { "if-none-match": '"\u00ff"', "if-range": "x", "if-modified-since": "never" },
  { cookie: "crowdai=%zz; crowdai_session=%00; __Host-crowdai=%ff; theme=%" },
  { accept: "text/html" },
  { accept: "text/html", "accept-language": "%00", "user-agent": "\u00ff" },
  { "x-forwarded-for": "999.1.1.1, \u00ff", "x-forwarded-proto": "gopher", "x-forwarded-host": "%" },
  { "git-protocol": "version=2:\u00ff" },
  { "sec-fetch-site": "same-origin" },
  { "sec-fetch-site": "same-origin", accept: "text/html" },
  { origin: "null" },
  { origin: "%" },
];

const STRINGS = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\u202e",
  "__proto__",
  "constructor",
  "toString",
  "test",
  "submit",
  "evaluate",
  "mit",
  "x".repeat(3000),
  "aaaaaaaa",
  "0".repeat(40),
  "0".repeat(64),
  "../../etc/passwd",
  "💥".repeat(40),
];
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  9.9e99,
  [],
  {},
  [[]],
  [null],
  { "": { "\u0000": "\u0000" } },
  ...STRINGS,
];

/** The part of JSON Schema in which the routes and events are described. */
export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  items?: Schema;
  $ref?: string;
}

/**
 * Makes a value that follows a schema here and there, and is hostile elsewhere. `strings` are valid names.
 */
export function hostileValue(schema: Schema, random: Random, strings: readonly string[]): unknown {
  if (random.chance(0.12)) return random.pick(VALUES);
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice) return hostileValue(random.pick(choice), random, strings);
  if ("const" in schema) return schema.const;
  if (schema.enum) return random.pick(schema.enum);
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(() => random.chance(0.85))
          .map(([name, each]) => [name, hostileValue(each, random, strings)]),
      );
    case "array":
      return [1, 2]
        .filter(() => random.chance(0.8))
        .map(() => hostileValue(schema.items ?? {}, random, strings));
    case "string":
      return random.pick(random.chance(0.6) ? strings : STRINGS);
    case "integer":
    case "number":
      return random.pick([0, 1, 2, 100, 2 ** 31, 2 ** 53 - 1]);
    case "boolean":
      return random.chance(0.5);
    case "null":
      return null;
    default:
      return random.pick(VALUES);
  }
}
