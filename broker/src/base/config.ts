import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { type S3Settings, s3EnvironmentSchema, s3SettingsOf } from "@crowdai/shared/objects";
import { SANDBOX_NAMES, type SandboxName } from "@crowdai/shared/sandbox-names";
import { z } from "zod";
import { type CiIssuer, parseCiIssuers } from "./ci-issuers.ts";
import { parseTrustedProxies, type TrustedProxies } from "./client-address.ts";

const LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

const environmentSchema = z.object({
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: "expected postgres://user:password@host/database" })
    .optional(),
  REDIS_URL: z.string().min(1).optional(),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .regex(
      /^\w+:\/\/[^/?#@\\]+(\/[\w.~%-]+)*\/*$/,
      "expected http(s)://host or http(s)://host/path, without a user, a query and a fragment",
    )
    .optional(),
  LOG_LEVEL: z.enum(LEVELS).default("info"),
  WEBAPP_URL: z.url({ protocol: /^https?$/, error: "expected http(s)://host, without /api" }).optional(),
  WEBAPP_TOKEN: z
    .string()
    .regex(/^[^\s,;"]+$/, "a key without spaces, commas, semicolons and quotes")
    .optional(),
  TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform((text, context) => {
      try {
        return parseTrustedProxies(text);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
        return z.NEVER;
      }
    }),
  WEBHOOK_HOSTS: z
    .string()
    .default("")
    .transform((text) =>
      text
        .toLowerCase()
        .split(/[\s,]+/)
        .filter(Boolean),
    )
    .pipe(z.array(z.string().refine(isHost, "names and addresses of hosts, without http:// and ports"))),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "printable characters without spaces")
    .optional(),
  CI_ISSUERS: z.string().default("github gitlab"),
  CI_LOOPBACK_ISSUERS: z.enum(["on", "off"]).default("off"),
  CI_SESSION_SECONDS: z.coerce.number().int().min(1).max(3600).default(900),
  LEGACY_CLIENTS: z.enum(["on", "off"]).default("on"),
  CROWDAI_SANDBOX: z.enum(SANDBOX_NAMES).default(SANDBOX_NAMES[0]),
  PATH: z.string().default("/usr/local/bin:/usr/bin:/bin"),
  CODE_HOST: z.enum(["local", "github", "gitlab"]).default("local"),
  GITHUB_TOKEN: z.string().min(1).optional(),
  GITHUB_ORG: z.string().min(1).optional(),
  GITHUB_API_URL: z.url({ protocol: /^https?$/ }).default("https://api.github.com"),
  GITLAB_TOKEN: z.string().min(1).optional(),
  GITLAB_GROUP: z.string().min(1).optional(),
  GITLAB_URL: z.url({ protocol: /^https?$/ }).default("https://gitlab.com"),
});

/** The environment variables that a broker reads. */
export const VARIABLES: readonly string[] = [
  ...Object.keys(environmentSchema.shape),
  ...Object.keys(s3EnvironmentSchema.shape),
];

const flagsSchema = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(8420),
  host: z.string().min(1).default("127.0.0.1"),
  data: z.string().min(1).default("crowdai-data"),
  challenges: z.string().min(1).default("challenges"),
  withGrader: z.boolean().default(false),
  concurrency: z.coerce.number().int().min(1).max(1000).optional(),
});

export interface BrokerConfig {
  port: number;
  host: string;
  dataFolder: string;
  challengesFolder: string;
  withGrader: boolean;
  concurrency: number | undefined;
  /** PostgreSQL; undefined means SQLite in the data folder. */
  databaseUrl: string | undefined;
  /** Redis, in any form that connectionsTo accepts; undefined means a queue in this process. */
  redisUrl: string | undefined;
  /** Objects on S3; null means a folder in the data folder. */
  s3: S3Settings | null;
  /** The URL at which clients reach the broker; undefined means the address that it listens on. */
  publicUrl: string | undefined;
  logLevel: (typeof LEVELS)[number];
  /** The key with full access to the webapp API of this broker; undefined when there is none. */
  webappToken: string | undefined;
  /**
   * A remote webapp (URL without a trailing slash) and the key of this broker there; null means this broker's
   * own records.
   */
  webapp: { url: string; token: string } | null;
  /** Proxies in front of the broker, whose X-Forwarded-For header is trusted. */
  trustedProxies: TrustedProxies;
  /** Hosts of webhooks that may have private addresses and http://, in lower case. */
  webhookHosts: ReadonlySet<string>;
  /** The search path for media programs. */
  programPath: string;
  /** The token that a scraper of /metrics must send; undefined when anyone may read them. */
  metricsToken: string | undefined;
  /** Whether clients of the published Python package are served. */
  legacyClients: boolean;
  /** CI systems whose jobs may get a session, and how long a session lasts. */
  ci: { issuers: readonly CiIssuer[]; sessionMs: number };
  codeHost: CodeHostSettings;
  /** The boxes that a grader in this process makes. */
  sandbox: SandboxName;
}

/** Where repositories are hosted. A token is sent to the host only. */
export type CodeHostSettings =
  | { kind: "local" }
  | { kind: "github"; apiUrl: string; org: string; token: string }
  | { kind: "gitlab"; url: string; group: string; token: string };

/**
 * Checks flags and environment, and returns them as one object. Throws config_invalid with all errors at
 * once.
 */
export function readConfig(
  flags: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): BrokerConfig {
  const given = flagsSchema.safeParse(flags);
  const known = environmentSchema.safeParse(emptyIsAbsent(env));
  const s3 = s3EnvironmentSchema.safeParse(emptyIsAbsent(env));
  const ciIssuers = ciIssuersOf(known.data);
  const mistakes = [
    ...(given.error?.issues ?? []).map((issue) => `  --${issue.path.join(".")}: ${issue.message}`),
    ...[...(known.error?.issues ?? []), ...(s3.error?.issues ?? [])].map(
      (issue) => `  ${issue.path.join(".")}: ${issue.message}`,
    ),
    ...(known.data?.WEBAPP_URL && !known.data.WEBAPP_TOKEN
      ? ["  WEBAPP_TOKEN: required with WEBAPP_URL: the key that identifies this broker to the webapp"]
      : []),
    ...(ciIssuers instanceof Error ? [`  CI_ISSUERS: ${ciIssuers.message}`] : []),
  ];
  if (!given.success || !known.success || !s3.success || ciIssuers instanceof Error || mistakes.length > 0)
    throw new CrowdaiError("config_invalid", `The settings are invalid:\n${mistakes.join("\n")}`);
  const { WEBAPP_URL, WEBAPP_TOKEN } = known.data;
  return Object.freeze({
    port: given.data.port,
    host: given.data.host,
    dataFolder: resolve(cwd, given.data.data),
    challengesFolder: resolve(cwd, given.data.challenges),
    withGrader: given.data.withGrader,
    concurrency: given.data.concurrency,
    redisUrl: known.data.REDIS_URL,
    databaseUrl: known.data.DATABASE_URL,
    s3: s3SettingsOf(s3.data),
    publicUrl: known.data.PUBLIC_URL && new URL(known.data.PUBLIC_URL).href.replace(/\/+$/, ""),
    logLevel: known.data.LOG_LEVEL,
    webappToken: WEBAPP_URL ? undefined : WEBAPP_TOKEN,
    webapp:
      WEBAPP_URL && WEBAPP_TOKEN
        ? { url: WEBAPP_URL.replace(/\/+$/, "").replace(/\/api$/, ""), token: WEBAPP_TOKEN }
        : null,
    trustedProxies: known.data.TRUSTED_PROXIES,
    webhookHosts: new Set(known.data.WEBHOOK_HOSTS),
    programPath: known.data.PATH,
    metricsToken: known.data.METRICS_TOKEN,
    legacyClients: known.data.LEGACY_CLIENTS === "on",
    ci: { issuers: ciIssuers, sessionMs: known.data.CI_SESSION_SECONDS * 1000 },
    codeHost: codeHostOf(known.data),
    sandbox: known.data.CROWDAI_SANDBOX,
  });
}

export const recordsFile = (dataFolder: string): string => join(dataFolder, "records.sqlite");
export const objectsFolder = (dataFolder: string): string => join(dataFolder, "objects");

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9_][a-z0-9_.-]*$/.test(text);
}

function ciIssuersOf(env: z.output<typeof environmentSchema> | undefined): CiIssuer[] | Error {
  if (!env) return [];
  try {
    return parseCiIssuers(env.CI_ISSUERS, env.CI_LOOPBACK_ISSUERS === "on");
  } catch (error) {
    return error as Error;
  }
}

function codeHostOf(env: z.output<typeof environmentSchema>): CodeHostSettings {
  const need = (...names: ("GITHUB_TOKEN" | "GITHUB_ORG" | "GITLAB_TOKEN" | "GITLAB_GROUP")[]) => {
    const absent = names.filter((name) => env[name] === undefined);
    if (absent.length > 0)
      throw new CrowdaiError("config_invalid", `CODE_HOST=${env.CODE_HOST} needs ${absent.join(" and ")}.`);
    return names.map((name) => env[name] as string) as [string, string];
  };
  const plain = (url: string) => url.replace(/\/+$/, "");
  if (env.CODE_HOST === "github") {
    const [org, token] = need("GITHUB_ORG", "GITHUB_TOKEN");
    return { kind: "github", apiUrl: plain(env.GITHUB_API_URL), org, token };
  }
  if (env.CODE_HOST === "gitlab") {
    const [group, token] = need("GITLAB_GROUP", "GITLAB_TOKEN");
    return { kind: "gitlab", url: plain(env.GITLAB_URL), group, token };
  }
  return { kind: "local" };
}

function emptyIsAbsent(env: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
}
