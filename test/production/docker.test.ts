import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readConfig, VARIABLES } from "../../broker/src/base/config.ts";
import { root } from "../../scripts/lib/root.ts";

interface Service {
  build?: string;
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
  ports?: string[];
  user?: string;
  privileged?: boolean;
  depends_on?: Record<string, { condition: string }>;
}

const read = (name: string) => readFile(join(root, name), "utf8");

describe("compose.yaml", async () => {
  const text = await read("compose.yaml");
  const compose = parse(text, { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, null>;
  };
  const { broker, grader } = compose.services as Record<"broker" | "grader", Service>;
  const all = Object.entries(compose.services);

  it("has a broker, a grader, Redis, PostgreSQL and an S3 store, of pinned versions", () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      "broker",
      "grader",
      "objects",
      "postgres",
      "redis",
    ]);
    for (const [name, { build, image }] of all)
      if (build === undefined) expect(image, name).toMatch(/^[\w./-]+:(?!latest)\S*\d/);
  });

  it("sets variables that the broker reads, to values that it accepts", () => {
    for (const { environment } of [broker, grader])
      expect(Object.keys(environment!).filter((name) => !VARIABLES.includes(name))).toEqual([]);
    const config = readConfig(
      {},
      substituted(broker.environment!, { S3_SECRET: "s", POSTGRES_PASSWORD: "p" }),
      "/",
    );
    expect(config).toMatchObject({
      databaseUrl: "postgres://crowdai:p@postgres/crowdai",
      redisUrl: "redis://redis:6379",
      publicUrl: "http://127.0.0.1:8420",
      s3: {
        bucket: "crowdai",
        endpoint: "http://objects.localhost:9000",
        secretAccessKey: "s",
        pathStyle: true,
      },
    });
  });

  it("gives broker and grader the same queue and the same objects", () => {
    const shared = Object.keys(grader.environment!).filter((name) => name !== "LOG_LEVEL");
    for (const name of shared) expect(broker.environment![name], name).toBe(grader.environment![name]);
    expect(shared).toEqual(expect.arrayContaining(["REDIS_URL", "S3_BUCKET", "S3_ENDPOINT"]));
  });

  it("checks the health of each service, waits for it, and keeps its data in a named volume", () => {
    for (const name of ["redis", "postgres", "objects"]) {
      expect(compose.services[name]!.healthcheck?.test?.[0], name).toBe("CMD");
      expect(compose.services[name]!.volumes?.[0]?.split(":")[0], name).toBe(name);
      expect(broker.depends_on?.[name]).toEqual({ condition: "service_healthy" });
    }
    expect(Object.keys(compose.volumes).sort()).toEqual(["broker", "objects", "postgres", "redis"]);
    expect(broker.healthcheck).toBeUndefined();
    expect(grader.healthcheck).toEqual({ disable: true });
  });

  it("contains no secret, no root, and no port that other machines reach", () => {
    const secrets = [...text.matchAll(/(?:PASSWORD|SECRET\w*):? ?(.*)$/gm)].map(([, value]) => value!);
    expect(secrets.filter((value) => value !== "" && !/^\$\{|^[^:]*\}|^=%s/.test(value))).toEqual([]);
    for (const [name, { ports = [], privileged, user }] of all) {
      expect([privileged, user], name).toEqual([undefined, undefined]);
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
  });
});

describe("Dockerfile", async () => {
  const steps = instructions(await read("Dockerfile"));
  const last = steps.slice(steps.findLastIndex(([name]) => name === "FROM"));
  const of = (name: string) => last.filter(([found]) => found === name).map(([, rest]) => rest);

  it("consists of known instructions, on a pinned base", () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/;
    for (const [name] of steps) expect(name).toMatch(known);
    const bases = steps.filter(([name]) => name === "FROM").map(([, rest]) => rest);
    for (const base of bases) expect(base).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim( AS build)?$/);
  });

  it("runs as an ordinary user, is checked by /readyz, and stops on SIGTERM", () => {
    expect(of("USER")).toEqual(["crowdai"]);
    expect(of("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(of("HEALTHCHECK")).toEqual([expect.stringContaining("/readyz")]);
    const [, check] = /CMD (\[.*\])$/.exec(of("HEALTHCHECK")[0]!)!;
    for (const list of [check!, ...of("ENTRYPOINT"), ...of("CMD")])
      expect(JSON.parse(list), list).toEqual(expect.arrayContaining([expect.any(String)]));
  });

  it("copies what exists, and nothing of the build but what the programs need", async () => {
    const copied = of("COPY");
    for (const line of copied) expect(line).toMatch(/^--from=build \/src\//);
    for (const [, path] of copied.map((line) => / \/src\/(\S+)/.exec(line)!))
      if (!/dist$|node_modules$/.test(path!)) expect(existsSync(join(root, path!)), path).toBe(true);
    expect(steps.filter(([name]) => name === "ARG" || name === "ADD")).toEqual([]);
    const ignored = (await read(".dockerignore")).split("\n");
    expect(ignored).toEqual(
      expect.arrayContaining([".git", "**/node_modules", "**/.env", "**/crowdai.env", "crowdai-data"]),
    );
  });
});

/** Returns the instructions of a Dockerfile, continued lines joined. */
function instructions(text: string): [name: string, rest: string][] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return lines
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name, rest] = /^(\S+) (.*)$/.exec(line)!;
      return [name!, rest!];
    });
}

/** Puts values of an .env file, and defaults, into values of compose.yaml. */
function substituted(values: Record<string, string>, env: Record<string, string>): Record<string, string> {
  const put = (text: string) =>
    text.replaceAll(
      /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
      (_, name, kind, other) => env[name] ?? (kind === "-" ? other : ""),
    );
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, put(value)]));
}
