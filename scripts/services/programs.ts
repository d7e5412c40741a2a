import { readdirSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "../lib/find-program.ts";

export type ServiceName = "redis" | "postgres" | "swift";

/** The programs of each test service, and the Debian packages that contain them. */
export const SERVICES: Record<ServiceName, { programs: readonly string[]; debian: readonly string[] }> = {
  redis: { programs: ["redis-server"], debian: ["redis-server"] },
  postgres: { programs: ["postgres", "initdb"], debian: ["postgresql"] },
  swift: {
    programs: [
      "swift-proxy-server",
      "swift-account-server",
      "swift-container-server",
      "swift-object-server",
      "memcached",
    ],
    debian: ["swift-proxy", "swift-account", "swift-container", "swift-object", "memcached"],
  },
};

/**
 * Full path of a service's program, or null. Debian keeps PostgreSQL's in a folder for each version, off the
 * path.
 */
export function findProgram(name: string): string | null {
  return onPath(name, [...postgresFolders(), process.env.PATH, "/usr/sbin"].join(":"));
}

/** A program that a service needs is not installed. The message says how to install it. */
export class MissingProgramError extends Error {}

/**
 * Full path of a service's program. Throws a MissingProgramError that names the Debian package when it is not
 * there.
 */
export function requireProgram(service: ServiceName, name: string): string {
  const found = findProgram(name);
  if (found === null)
    throw new MissingProgramError(
      `${service} is not installed: there is no ${name}. On Debian: apt-get install ${SERVICES[service].debian.join(" ")}`,
    );
  return found;
}

export function isInstalled(service: ServiceName): boolean {
  return SERVICES[service].programs.every((program) => findProgram(program) !== null);
}

/**
 * For `describe.skipIf(withoutService("redis"))`: whether the service cannot be started here. Says so loudly,
 * and throws where CI=true, because nothing else checks what CI leaves out.
 */
export function withoutService(service: ServiceName): boolean {
  if (isInstalled(service)) return false;
  if (process.env.CI === "true")
    throw new Error(`These tests must run in CI, and ${service} is not installed.`);
  process.stderr.write(`SKIPPED: ${service} is not installed\n`);
  return true;
}

function postgresFolders(): string[] {
  const versions = "/usr/lib/postgresql";
  try {
    return readdirSync(versions)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(versions, version, "bin"));
  } catch {
    return [];
  }
}
