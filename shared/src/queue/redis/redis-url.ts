import { readFileSync } from "node:fs";
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { CrowdaiError } from "../../protocol/errors.ts";

export interface RedisConnections {
  /**
   * Makes a client for one connection, not yet connected: it neither reconnects, nor sends anything twice, nor keeps
   * commands for later. The queue makes a new one instead.
   */
  connect: () => Redis | Cluster;
  /**
   * Makes a client that reconnects by itself. Commands wait while Redis is unreachable: for a moment, after which they
   * reject, or with `retryForever` until it is back. With `commandMs` a command that takes longer rejects.
   */
  connectWithReconnect: (options?: { retryForever?: boolean; commandMs?: number }) => Redis | Cluster;
  /** Where it is, without secrets. */
  name: string;
}

const FORMS = `redis://host:6379, rediss://user:password@host:6379/0, redis+sentinel://host1:26379,host2:26379/master-name or redis-cluster://host1:6379,host2:6379`;
const SHAPE = /^(rediss?)(?:(\+sentinel|-cluster|\+unix))?:\/\/(?:(.*)@)?([^/?@]*)(\/[^?]*)?(?:\?(.*))?$/;

/**
 * Reads a REDIS_URL: one server, a master found through Sentinels (`redis+sentinel://…/name`, and `/name/db`), or the nodes of a
 * cluster (`redis-cluster://…`); `rediss` in front is TLS in each, with the authority to trust in `?ca=file`. `?sentinel_password=`
 * is the Sentinels' own. `redis+unix:///path` is a local socket. Throws config_invalid, without the URL's secrets.
 */
export function connectionsTo(url: string): RedisConnections {
  const [, scheme, kind, credentials, hosts = "", path = "", query] = SHAPE.exec(url) ?? [];
  if (scheme === undefined) throw invalid("is no address of a Redis");
  const parameters = new URLSearchParams(query);
  const options: RedisOptions = { ...SINGLE_CONNECTION, ...accountOf(credentials) };
  if (scheme === "rediss") options.tls = tlsOf(parameters.get("ca"));

  if (kind === "+unix") {
    const socket = decodeURIComponent(path);
    if (socket === "" || hosts !== "") throw invalid("names no socket file");
    return connections(`Redis at ${socket}`, (life) => new Redis({ ...options, ...life, path: socket }));
  }
  const nodes = hosts.split(",").map((host) => nodeOf(host, kind === "+sentinel" ? 26379 : 6379));
  const first = nodes[0]!;
  const [, segment = "", rest = ""] = path.split("/");
  const where = `${hosts}${scheme === "rediss" ? " (TLS)" : ""}`;

  if (kind === "+sentinel") {
    if (segment === "") throw invalid("names no master: redis+sentinel://host:26379/master-name");
    const sentinel: RedisOptions = {
      ...options,
      sentinels: nodes,
      name: decodeURIComponent(segment),
      db: databaseOf(rest),
      sentinelPassword: parameters.get("sentinel_password") ?? undefined,
      enableTLSForSentinelMode: scheme === "rediss",
      sentinelTLS: options.tls,
      sentinelRetryStrategy: () => null,
      connectTimeout: CONNECT_MS,
    };
    const again = (life: RedisOptions) =>
      life === SINGLE_CONNECTION ? {} : { sentinelRetryStrategy: retryAfter };
    return connections(
      `Redis ${segment} through Sentinel at ${where}`,
      (life) => new Redis({ ...sentinel, ...life, ...again(life) }),
    );
  }
  if (kind === "-cluster") {
    const cluster: ClusterOptions = {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: () => null,
      slotsRefreshTimeout: CONNECT_MS,
      redisOptions: options,
      // Certificates name hosts, and a cluster tells addresses.
      ...(options.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    };
    return connections(`Redis Cluster at ${where}`, (life) =>
      life === SINGLE_CONNECTION
        ? new Cluster(nodes, cluster)
        : new Cluster(nodes, {
            ...cluster,
            lazyConnect: false,
            enableOfflineQueue: true,
            clusterRetryStrategy: retryAfter,
            redisOptions: { ...options, ...life },
          }),
    );
  }
  if (nodes.length > 1) throw invalid("names several hosts: say redis-cluster:// or redis+sentinel://");
  const one: RedisOptions = { ...options, ...first, db: databaseOf(segment) };
  return connections(`Redis at ${where}`, (life) => new Redis({ ...one, ...life }));
}

function connections(name: string, make: (life: RedisOptions) => Redis | Cluster): RedisConnections {
  return {
    name,
    connect: () => make(SINGLE_CONNECTION),
    connectWithReconnect: ({ retryForever = false, commandMs } = {}) =>
      make({
        ...(retryForever ? RECONNECTING_FOREVER : RECONNECTING),
        ...(commandMs === undefined ? {} : { commandTimeout: commandMs }),
      }),
  };
}

const CONNECT_MS = 2000;

const SINGLE_CONNECTION: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
  connectTimeout: CONNECT_MS,
  keepAlive: 10_000,
  // Replies have one shape on every server.
  protocol: 2,
};

const retryAfter = (tries: number) => Math.min(100 * tries, 2000);

const RECONNECTING: RedisOptions = {
  lazyConnect: false,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  maxRetriesPerRequest: 2,
  retryStrategy: retryAfter,
};

const RECONNECTING_FOREVER: RedisOptions = { ...RECONNECTING, maxRetriesPerRequest: null };

function accountOf(credentials: string | undefined): Pick<RedisOptions, "username" | "password"> {
  if (!credentials) return {};
  const colon = credentials.indexOf(":");
  const [user, password] =
    colon < 0 ? ["", credentials] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
  try {
    return { username: decodeURIComponent(user) || undefined, password: decodeURIComponent(password) };
  } catch {
    throw invalid("has a password whose % signs are not written as %25");
  }
}

function nodeOf(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) throw invalid(`has no host in "${text}"`);
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function databaseOf(text: string): number {
  if (!/^\d{0,5}$/.test(text)) throw invalid("ends with a database that is no number");
  return Number(text);
}

function tlsOf(authority: string | null): NonNullable<RedisOptions["tls"]> {
  if (authority === null) return {};
  try {
    return { ca: readFileSync(authority) };
  } catch (cause) {
    throw new CrowdaiError("config_invalid", `REDIS_URL: the authority ${authority} cannot be read.`, {
      cause,
    });
  }
}

function invalid(why: string): CrowdaiError {
  return new CrowdaiError("config_invalid", `REDIS_URL ${why}. It may be ${FORMS}.`);
}
