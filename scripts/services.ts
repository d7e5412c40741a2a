// The services that the tests use, for trying things by hand: Redis, PostgreSQL, and Swift with its S3 API,
// on loopback.
//
//   node scripts/services.ts install [redis postgres swift]     installs their Debian packages (root)
//   node scripts/services.ts up [redis postgres swift]          starts them, prints the environment that uses them
//   node scripts/services.ts down                               ends what `up` started
//   --folder <dir>    where their state lives; a folder for temporary files by default. It is kept.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "./services/postgres.ts";
import { isInstalled, MissingProgramError, SERVICES, type ServiceName } from "./services/programs.ts";
import { startRedis } from "./services/redis.ts";
import type { Service } from "./services/service.ts";
import { SWIFT_ACCESS_KEY, SWIFT_REGION, SWIFT_SECRET_KEY, startSwift } from "./services/swift.ts";

const START = { redis: startRedis, postgres: startPostgres, swift: startSwift };
const ENVIRONMENT: Record<ServiceName, (url: string) => Record<string, string>> = {
  redis: (url) => ({ REDIS_URL: url }),
  postgres: (url) => ({ DATABASE_URL: url }),
  swift: (url) => ({
    S3_ENDPOINT: url,
    S3_BUCKET: "crowdai",
    S3_REGION: SWIFT_REGION,
    AWS_ACCESS_KEY_ID: SWIFT_ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SWIFT_SECRET_KEY,
  }),
};

type Running = Partial<Record<ServiceName, { url: string; pids: readonly number[] }>>;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: "string", default: join(tmpdir(), "crowdai-services") } },
});
const [command, ...named] = positionals;
const folder = resolve(values.folder);
const stateFile = join(folder, "running.json");
const names = (named.length > 0 ? named : Object.keys(SERVICES)) as ServiceName[];
const unknown = names.filter((name) => !(name in SERVICES));

if (unknown.length > 0) process.exitCode = usage(`There is no service ${unknown.join(", ")}.`);
else if (command === "install") process.exitCode = install();
else if (command === "up") process.exitCode = await up().then(() => 0, reportMissing);
else if (command === "down") down();
else process.exitCode = usage("Say up, down or install.");

function usage(problem: string): number {
  console.error(`${problem}\nnode scripts/services.ts up|down|install [${Object.keys(SERVICES).join(" ")}]`);
  return 2;
}

function install(): number {
  const packages = names.filter((name) => !isInstalled(name)).flatMap((name) => SERVICES[name].debian);
  if (packages.length === 0) return 0;
  const apt = (...args: string[]) =>
    spawnSync("apt-get", args, {
      stdio: "inherit",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status ?? 1;
  return apt("update", "-qq") || apt("install", "-qq", "-y", "--no-install-recommends", ...packages);
}

function reportMissing(error: unknown): number {
  if (!(error instanceof MissingProgramError)) throw error;
  console.error(`${error.message}, or run: node scripts/services.ts install`);
  return 2;
}

async function up(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const running = readRunning();
  for (const name of names) {
    const pids = running[name]?.pids ?? [];
    if (!pids.some(isAlive)) {
      const service: Service = await START[name]({ folder: join(folder, name), detached: true });
      running[name] = { url: service.url, pids: service.pids };
      writeFileSync(stateFile, JSON.stringify(running));
    }
    for (const [key, value] of Object.entries(ENVIRONMENT[name](running[name]!.url)))
      console.log(`export ${key}=${value}`);
  }
}

function down(): void {
  const pids = Object.values(readRunning()).flatMap(({ pids }) => pids);
  for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGTERM");
  rmSync(stateFile, { force: true });
}

function readRunning(): Running {
  return existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, "utf8")) : {};
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
