import { CrowdaiError } from "@crowdai/shared";
import { parseBroker } from "../http/broker-address.ts";
import { createHttpClient, type HttpClientOptions } from "../http/http-client.ts";
import { healthSchema } from "../http/is-broker.ts";
import type { BrokerSession, SessionOptions } from "./broker-session.ts";
import { openHttpSession } from "./http-session.ts";

const QUICK_MS = 2_000;
/** The broker says how it is at once; only what is no broker keeps silent. */
const HEALTH_MS = 5_000;

/**
 * Opens a session. Throws the broker's refusal (key_unknown, challenge_unknown with a suggestion, …), broker_unreachable
 * when nobody answers, not_a_broker when something else does.
 */
export async function openSession(options: SessionOptions): Promise<BrokerSession> {
  const broker = parseBroker(options.broker);
  const reading: HttpClientOptions = { ...options, broker, key: () => options.key };
  const http = createHttpClient(reading);
  if (options.transport === "http") return openHttpSession(http, options);

  const [{ openSocketSession }, { SocketUnavailable }] = await Promise.all([
    import("./socket-session.ts"),
    import("./open-socket.ts"),
  ]);
  for (let again = true; ; again = false) {
    const began = performance.now();
    try {
      return await openSocketSession(broker, options);
    } catch (failure) {
      if (!(failure instanceof SocketUnavailable)) throw failure;
      const quick = performance.now() - began < QUICK_MS;
      // Says so itself when nobody is there, or somebody else.
      await createHttpClient({ ...reading, idleMs: HEALTH_MS }).get("/healthz", healthSchema);
      // A broker that was just starting takes sockets now.
      if (again && quick) continue;
      if (options.transport !== "socket") return openHttpSession(http, options);
      throw new CrowdaiError(
        "broker_unreachable",
        `The broker answers, but takes no socket: ${failure.message}.`,
      );
    }
  }
}
