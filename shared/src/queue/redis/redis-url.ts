import { readFileSync } from "node:fs";
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { CrowdaiError } from "../../protocol/errors.ts";

export interface RedisConnections {
  /**
   * Creates a client for one connection, not yet connected. It does not reconnect, resend or queue commands;
   * the queue creates a new client instead.
   */
  connect: () => Redis | Cluster;
  /**
   * Creates a client that reconnects by itself. Commands wait while Redis is unreachable: for a moment, after
   * which they reject, or with `retryForever` until it is back. With `commandMs` a command that takes longer
   * rejects.
   */
  connectWithReconnect: (options?: { retryForever?: boolean; commandMs?: number }) => Redis | Cluster;
  /** The server's address, without secrets. */
  name: string;
}

const FORMS = `redis://host:6379, rediss://user:password@host:6379/0, redis+sentinel://host1:26379,host2:26379/master-name or redis-cluster://host1:6379,host2:6379`;
const SHAPE = /^(rediss?)(?:(\+sentinel|-cluster|\+unix))?:\/\/(?:(.*)@)?([^/?@]*)(\/[^?]*)?(?:\?(.*))?$/;

/**
 * Parses a REDIS_URL: one server, a master found through Sentinels (`redis+sentinel://…/name` or
 * `…/name/db`), the nodes of a cluster (`redis-cluster://…`), or a local socket (`redis+unix:///path`). A
 * scheme that starts with `rediss` uses TLS, with the CA certificate from `?ca=file`. `?sentinel_password=`
 * is the password of the Sentinels. Throws config_invalid without secrets.
 */
export function connectionsTo(url: string): RedisConnections {
  const [, scheme, kind, credentials, hosts = "", path = "", query] = SHAPE.exec(url) ?? [];
  if (scheme === undefined) throw invalid("is not a valid Redis URL");
  const parameters = new URLSearchParams(query);
  const options: RedisOptions = { ...SINGLE_CONNECTION, ...accountOf(credentials) };
  if (scheme === "rediss") options.tls = tlsOf(parameters.get("ca"));

  if (kind === "+unix") {
    const socket = decodeURIComponent(path);
    if (socket === "" || hosts !== "") throw invalid("does not name a socket file");
    return connections(`Redis at ${socket}`, (retry) => new Redis({ ...options, ...retry, path: socket }));
  }
  const nodes = hosts.split(",").map((host) => nodeOf(host, kind === "+sentinel" ? 26379 : 6379));
  const first = nodes[0]!;
  const [, segment = "", rest = ""] = path.split("/");
  const where = `${hosts}${scheme === "rediss" ? " (TLS)" : ""}`;

  if (kind === "+sentinel") {
    if (segment === "")
      throw invalid("does not name a master, as in redis+sentinel://host:26379/master-name");
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
    const sentinelRetry = (retry: RedisOptions) =>
      retry === SINGLE_CONNECTION ? {} : { sentinelRetryStrategy: retryAfter };
    return connections(
      `Redis ${segment} through Sentinel at ${where}`,
      (retry) => new Redis({ ...sentinel, ...retry, ...sentinelRetry(retry) }),
    );
  }
  if (kind === "-cluster") {
    const cluster: ClusterOptions = {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: () => null,
      slotsRefreshTimeout: CONNECT_MS,
      redisOptions: options,
      // Certificates contain host names, but a cluster announces IP addresses.
      ...(options.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    };
    return connections(`Redis Cluster at ${where}`, (retry) =>
      retry === SINGLE_CONNECTION
        ? new Cluster(nodes, cluster)
        : new Cluster(nodes, {
            ...cluster,
            lazyConnect: false,
            enableOfflineQueue: true,
            clusterRetryStrategy: retryAfter,
            redisOptions: { ...options, ...retry },
          }),
    );
  }
  if (nodes.length > 1)
    throw invalid("names several hosts, which requires redis-cluster:// or redis+sentinel://");
  const one: RedisOptions = { ...options, ...first, db: databaseOf(segment) };
  return connections(`Redis at ${where}`, (retry) => new Redis({ ...one, ...retry }));
}

function connections(name: string, make: (retry: RedisOptions) => Redis | Cluster): RedisConnections {
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
  // Makes replies equal on all servers.
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
    throw invalid("has a password with a % sign that is not written as %25");
  }
}

function nodeOf(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) throw invalid(`has an invalid host "${text}"`);
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function databaseOf(text: string): number {
  if (!/^\d{0,5}$/.test(text)) throw invalid("has a database that is not a number");
  return Number(text);
}

function tlsOf(authority: string | null): NonNullable<RedisOptions["tls"]> {
  if (authority === null) return {};
  try {
    return { ca: readFileSync(authority) };
  } catch (cause) {
    throw new CrowdaiError("config_invalid", `REDIS_URL: the CA certificate ${authority} cannot be read.`, {
      cause,
    });
  }
}

function invalid(why: string): CrowdaiError {
  return new CrowdaiError("config_invalid", `REDIS_URL ${why}. Valid forms are ${FORMS}.`);
}
