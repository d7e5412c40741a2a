import type { CallRequest, IntentRequest, Receipt, Session, Submission } from "@crowdai/shared";
import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import { createHttpClient, type HttpClientOptions, parseBroker } from "../http/http-client.ts";
import type { Feed } from "./feed.ts";
import { openHttpSession } from "./http-session.ts";

export interface SessionOptions {
  broker: string | URL;
  key: string;
  challenge?: string;
  /** Version of this client, as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  /** Ends the session; whatever is under way then rejects with `interrupted`. */
  signal?: AbortSignal;
  agents?: HttpClientOptions["agents"];
  /** How long the broker may be away before the session gives up with broker_lost. Default 60 s. */
  lostAfterMs?: number;
  /** How long one answer may take before the connection is taken for dead and made anew. Default 20 s. */
  answerMs?: number;
  /** `http` never opens a socket; `auto` (the default) uses one unless something between does not let it through. */
  transport?: "auto" | "socket" | "http";
}

/**
 * A participant's session with the broker. It survives a restart of the broker and a cut connection: what was not
 * acknowledged is sent again under the same ids, and watched submissions go on where they were.
 */
export interface BrokerSession {
  /** What the broker said first: who, which challenge, which limits. */
  readonly opening: Session;
  readonly transport: "socket" | "http";
  /** With `follow`, events are kept from the first on for the feed that `watch` then returns. */
  submit(intent: IntentRequest, options?: { follow?: boolean; signal?: AbortSignal }): Promise<Receipt>;
  complete(id: string, signal?: AbortSignal): Promise<Receipt>;
  /** Follows each item, as `submit` does. */
  call(call: CallRequest, signal?: AbortSignal): Promise<Submission[]>;
  /** Harmless when it is cancelled already; throws already_final when it ended otherwise. */
  cancel(id: string, signal?: AbortSignal): Promise<Submission>;
  /** Events after number `after`, for one reader. Stop the feed to stop watching. */
  watch(id: string, options?: { after?: number; signal?: AbortSignal }): Feed;
  close(): void;
}

const QUICK_MS = 2_000;
/** The broker says how it is at once; only what is no broker keeps silent. */
const HEALTH_MS = 5_000;
const healthSchema = z.object({ ok: z.boolean(), service: z.literal("crowdai") });

/**
 * Opens a session. Throws the broker's refusal (key_unknown, challenge_unknown with a suggestion, …), broker_unreachable
 * when nobody answers, not_a_broker when something else does.
 */
export async function openSession(options: SessionOptions): Promise<BrokerSession> {
  const broker = parseBroker(options.broker);
  const reading: HttpClientOptions = { ...options, broker, key: () => options.key };
  const http = createHttpClient(reading);
  if (options.transport === "http") return openHttpSession(http, options);

  const { connectSocket, SocketUnavailable } = await import("./socket-session.ts");
  for (let again = true; ; again = false) {
    const began = performance.now();
    try {
      return await connectSocket(broker, options);
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
