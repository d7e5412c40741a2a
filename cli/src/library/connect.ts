import "../client/schema-settings.ts";
import { CrowdaiError, mayBeApiKey } from "@crowdai/shared";
import packageJson from "../../package.json" with { type: "json" };
import { createHttpClient, type HttpClient } from "../client/http/http-client.ts";
import { type Agents, proxyAgents } from "../client/http/proxy-agents.ts";
import type { BrokerSession, KeyLease } from "../client/session/broker-session.ts";
import { openSession } from "../client/session/session.ts";
import { clientName } from "../connection/client-name.ts";
import { mayHaveIdToken, noKey } from "../connection/no-key.ts";
import type { OpenOptions } from "./open-options.ts";

/** The open session of a challenge, and the settings that its calls use. */
export interface ChallengeSession {
  session: BrokerSession;
  http: HttpClient;
  agents: Agents | undefined;
  /** Returns the key in use. */
  key: () => string;
  client: string;
}

interface Found {
  broker: string | URL;
  key: string;
  lease?: KeyLease;
}

/**
 * Opens a session. Reads the environment, the settings and the stored key only for options that are left out.
 */
export async function connect(named: string | undefined, options: OpenOptions): Promise<ChallengeSession> {
  const { env } = process;
  const challenge = named ?? (await defaultChallenge());
  const client = options.client ?? clientName(packageJson.version);
  const { broker, key, lease } = await resolveBrokerAndKey(options, client);
  if (!mayBeApiKey(key))
    throw new CrowdaiError(
      "key_malformed",
      "The API key is malformed: its checksum is wrong, or it is neither a crowdai_ key nor 32 hex digits.",
    );
  const agents = proxyAgents(env);
  const { signal, lostAfterMs, transport } = options;
  const http = createHttpClient({ broker, key: lease?.key ?? (() => key), client, signal, agents });
  const session = await openSession({
    broker,
    key,
    lease,
    challenge,
    client,
    signal,
    agents,
    lostAfterMs,
    transport,
  });
  return { session, http, agents, key: () => lease?.latest() ?? key, client };
}

async function defaultChallenge(): Promise<string> {
  const { chosenChallenge, resolveSettings } = await import("../config/settings.ts");
  return chosenChallenge(resolveSettings({ env: process.env, cwd: process.cwd() }));
}

async function resolveBrokerAndKey({ apiKey, broker, signal }: OpenOptions, client: string): Promise<Found> {
  if (apiKey !== undefined && broker !== undefined) return { broker, key: apiKey };
  const { env } = process;
  const [{ resolveSettings }, { createKeyStore }, { givenKeyUnbound }] = await Promise.all([
    import("../config/settings.ts"),
    import("../credentials/key-store.ts"),
    import("../credentials/key-unbound.ts"),
  ]);
  const settings = resolveSettings({
    env,
    cwd: process.cwd(),
    flags: broker ? { broker: String(broker) } : {},
  });
  if (apiKey !== undefined && !settings.brokerTrusted)
    throw givenKeyUnbound(
      settings,
      "The API key that the program passed",
      `If the key is for that broker, pass its address too: broker: "${settings.broker}".`,
    );
  const chosen = broker ?? settings.broker;
  if (apiKey !== undefined) return { broker: chosen, key: apiKey };
  const found = await createKeyStore({ env, settings }).find();
  if (found) return { broker: chosen, key: found.key };
  const lease = mayHaveIdToken(env)
    ? (await import("../connection/ci-session.ts")).ciSessions({
        io: { env, signal: signal ?? new AbortController().signal },
        settings,
        client,
      })
    : null;
  if (!lease) throw noKey(settings.broker, env);
  return { broker: chosen, key: await lease.key(), lease };
}
