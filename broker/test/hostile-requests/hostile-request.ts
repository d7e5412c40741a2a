import {
  BODIES,
  CONTENT_TYPES,
  HEADERS,
  hostileValue,
  QUERIES,
  type Schema,
  SEGMENTS,
} from "./hostile-values.ts";
import type { Random } from "./random.ts";

/** The names and keys that exist at the broker. */
export interface Known {
  /** Of submissions, challenges and participants. */
  names: string[];
  keys: string[];
  /** Signed addresses. */
  signed: string[];
  cookie: string;
  formToken: string;
}

export interface HostileRequest {
  path: string;
  headers: Record<string, string>;
  body: string | Buffer;
  /** The request in short, to read when it failed. */
  note: string;
}

/** Makes a request to a route that is valid here and there, and hostile elsewhere. */
export function hostileRequest(random: Random, route: string, known: Known, schema?: Schema): HostileRequest {
  const path =
    random.chance(0.15) && route === "/objects/*" ? random.pick(known.signed) : pathOf(random, route, known);
  const [body, coding] = bodyOf(random, known, schema);
  const type = schema && random.chance(0.7) ? "application/json" : random.pick(CONTENT_TYPES);
  const headers = {
    ...random.pick(HEADERS),
    ...keyHeader(random, known),
    ...(type === undefined ? {} : { "content-type": type }),
    ...(coding === undefined ? {} : { "content-encoding": coding }),
    "content-length": String(Buffer.byteLength(body)),
  };
  const note = `${path.slice(0, 200)} ${JSON.stringify(headers)} ${JSON.stringify(String(body).slice(0, 300))}`;
  return { path, headers, body, note };
}

function pathOf(random: Random, route: string, known: Known): string {
  const segment = () =>
    random.chance(0.5)
      ? encodeURIComponent(random.pick([...known.names, ...known.keys]))
      : random.pick(SEGMENTS);
  const path = route
    .replace(/:\w+(?:\{[^}]*\})?/g, segment)
    .replace(/\*$/, () =>
      route.startsWith("/code/")
        ? `${segment()}/${segment()}.git/${random.pick(["info/refs", "git-upload-pack", "git-receive-pack"])}`
        : route.startsWith("/v1/")
          ? `envs/${segment()}/${random.pick(GYM_REQUESTS)}`
          : segment(),
    );
  return path + random.pick(QUERIES);
}

/** Requests to an environment over HTTP. */
const GYM_REQUESTS = [
  "",
  "reset/",
  "step/",
  "action_space/",
  "action_space/contains/%00",
  "monitor/close/",
  "close/",
];

function bodyOf(random: Random, known: Known, schema?: Schema): readonly [string | Buffer, string?] {
  if (schema && random.chance(0.7)) return [JSON.stringify(hostileValue(schema, random, known.names))];
  if (random.chance(0.3)) return [`token=${known.formToken}&agree=yes&digest=%00&key=%00&next=%00&theme=%00`];
  return random.pick(BODIES);
}

function keyHeader(random: Random, { keys, cookie }: Known): Record<string, string> {
  const key = random.pick(keys);
  return random.pick<Record<string, string>>([
    {},
    { authorization: `Bearer ${key}` },
    { authorization: `Token token=${key}` },
    { authorization: `Basic ${Buffer.from(`crowdai:${key}`).toString("base64")}` },
    { authorization: `Basic ${Buffer.from("\u0000").toString("base64")}` },
    { authorization: "Bearer \u00ff" },
    { cookie, "sec-fetch-site": "same-origin" },
    { cookie, "sec-fetch-site": "same-origin", accept: "text/html" },
  ]);
}
