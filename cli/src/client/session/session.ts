import { CrowdaiError } from "@crowdai/shared";
import { withRetries } from "../../async/retry.ts";
import { parseBroker } from "../http/broker-address.ts";
import { createHttpClient, type HttpClientOptions } from "../http/http-client.ts";
import { healthSchema } from "../http/is-broker.ts";
import { proxiesSockets } from "../http/proxy-agents.ts";
import type { BrokerSession, SessionOptions } from "./broker-session.ts";
import { openHttpSession } from "./http-session.ts";
import { SocketUnavailable } from "./open-socket.ts";
import { isTemporary } from "./socket-requests.ts";
import { openSocketSession } from "./socket-session.ts";

const QUICK_MS = 2_000;
/** A broker answers /healthz at once; another server may never answer. */
const HEALTH_MS = 5_000;

/**
 * Opens a session. Throws the broker's refusal (key_unknown, challenge_unknown with a suggestion, …),
 * broker_unreachable if there is no answer, not_a_broker if another server answers.
 */
export async function openSession(options: SessionOptions): Promise<BrokerSession> {
  const broker = parseBroker(options.broker);
  const httpOptions: HttpClientOptions = {
    ...options,
    broker,
    key: options.lease?.key ?? (() => options.key),
  };
  const http = createHttpClient(httpOptions);
  const avoidsProxy = !proxiesSockets() && options.agents?.(broker) !== undefined;
  if (options.transport === "http" || avoidsProxy) return openHttpSession(http, options);

  // The broker may lack something for a moment.
  const mayRepeat = (failure: unknown) => isTemporary(failure) && 0;
  for (let mayRetry = true; ; mayRetry = false) {
    const began = performance.now();
    try {
      return await withRetries(() => openSocketSession(broker, options), mayRepeat, {
        signal: options.signal,
      });
    } catch (failure) {
      if (!(failure instanceof SocketUnavailable)) throw failure;
      const quick = performance.now() - began < QUICK_MS;
      // Throws broker_unreachable or not_a_broker if there is no broker.
      await createHttpClient({ ...httpOptions, idleMs: HEALTH_MS }).get("/healthz", healthSchema);
      // A broker that was just starting accepts sockets now.
      if (mayRetry && quick) continue;
      if (options.transport !== "socket") return openHttpSession(http, options);
      throw new CrowdaiError(
        "broker_unreachable",
        `The broker answers HTTP requests but accepts no socket: ${failure.message}.`,
      );
    }
  }
}
