import { CrowdaiError, mayBeApiKey } from "@crowdai/shared";
import packageJson from "../../package.json" with { type: "json" };
import { createHttpClient, type HttpClient } from "../client/http/http-client.ts";
import { type Agents, proxyAgents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { openSession } from "../client/session/session.ts";
import type { OpenOptions } from "./challenge.ts";

export interface Connection {
  session: BrokerSession;
  http: HttpClient;
  agents: Agents | undefined;
  key: string;
  client: string;
}

/** Opens the library's session. The environment, settings and stored key are read only for what the options leave out. */
export async function connect(challenge: string, options: OpenOptions): Promise<Connection> {
  const { env } = process;
  const runtime = process.versions.bun ? `bun/${process.versions.bun}` : `node/${process.versions.node}`;
  const client = options.client ?? `crowdai/${packageJson.version} ${runtime}`;
  const { broker, key } = await resolveBrokerAndKey(options);
  if (!mayBeApiKey(key))
    throw new CrowdaiError(
      "key_malformed",
      "The API key is mistyped: its checksum does not fit, or it neither begins with crowdai_ nor has 32 hex digits.",
    );
  const agents = proxyAgents(env);
  const { signal, lostAfterMs, transport } = options;
  const http = createHttpClient({ broker, key: () => key, client, signal, agents });
  const session = await openSession({
    broker,
    key,
    challenge,
    client,
    signal,
    agents,
    lostAfterMs,
    transport,
  });
  return { session, http, agents, key, client };
}

async function resolveBrokerAndKey({
  apiKey,
  broker,
}: OpenOptions): Promise<{ broker: string | URL; key: string }> {
  if (apiKey !== undefined && broker !== undefined) return { broker, key: apiKey };
  const { env } = process;
  const [{ resolveSettings }, { readKey }] = await Promise.all([
    import("../config/settings.ts"),
    import("../credentials/key-store.ts"),
  ]);
  const settings = resolveSettings({
    env,
    cwd: process.cwd(),
    flags: broker ? { broker: String(broker) } : {},
  });
  return { broker: broker ?? settings.broker, key: apiKey ?? (await readKey({ env, settings })) };
}
