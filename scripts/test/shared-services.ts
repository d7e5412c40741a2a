// vitest's global setup: services that all test files of a run share. Each is started when the first file
// asks for it, and ends with the run. Test files ask through test/shared-services.ts.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../services/postgres.ts";
import { startRedis } from "../services/redis.ts";
import type { Service } from "../services/service.ts";
import { startSwift } from "../services/swift.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Address that starts and names the shared services. */
    sharedServices: string;
  }
}

const START = { postgres: startPostgres, redis: startRedis, swift: startSwift };
export type SharedServiceName = keyof typeof START;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-shared-services-"));
  const started = new Map<SharedServiceName, Promise<Service>>();
  const find = (name: SharedServiceName): Promise<Service> => {
    const service = started.get(name) ?? START[name]({ folder: join(folder, name) });
    started.set(name, service);
    return service;
  };
  const server = createServer(async (request, response) => {
    try {
      const { url, port } = await find(request.url!.slice(1) as SharedServiceName);
      response.end(JSON.stringify({ url, port }));
    } catch (error) {
      response.writeHead(500).end((error as Error).message);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("sharedServices", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    for (const service of started.values()) await service.then(({ stop }) => stop()).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
}
