import { CrowdaiError, errorBodySchema, type Session, sessionSchema } from "@crowdai/shared";
import { io, type Socket } from "socket.io-client";
import { interruption } from "../../async/abort.ts";
import type { SessionOptions } from "./broker-session.ts";

const OPENING_MS = 10_000;

/** No socket could be opened, and it was no refusal of the broker's: nobody there, or something between. */
export class SocketUnavailable extends Error {
  override readonly name = "SocketUnavailable";
}

/** Connects a socket and waits for the broker's first message. Throws the broker's refusal, or SocketUnavailable. */
export async function openSocket(
  broker: URL,
  options: SessionOptions,
): Promise<{ socket: Socket; opening: Session }> {
  const socket = io(broker.origin, {
    path: `${broker.pathname.replace(/\/+$/, "")}/socket.io/`,
    // Where no WebSocket gets through, the session goes over plain requests instead: see http-session.ts.
    transports: ["websocket"],
    auth: { apiKey: options.key, challenge: options.challenge, client: options.client },
    agent: options.agents?.[broker.protocol === "https:" ? "https:" : "http:"] as unknown as
      | string
      | undefined,
    timeout: OPENING_MS,
    reconnectionDelay: 150,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.5,
    forceNew: true,
    autoConnect: false,
  });
  return { socket, opening: await firstSession(socket, options.signal) };
}

/** Connects; settles with what the broker says first, or with why it says nothing. */
function firstSession(socket: Socket, signal: AbortSignal | undefined): Promise<Session> {
  return new Promise<Session>((resolve, reject) => {
    const fail = (error: unknown) => {
      done();
      socket.disconnect();
      reject(error);
    };
    const abort = () => fail(interruption(signal!));
    const silent = setTimeout(
      () => fail(new SocketUnavailable("nothing came over the socket")),
      2 * OPENING_MS,
    );
    const done = () => {
      clearTimeout(silent);
      signal?.removeEventListener("abort", abort);
      socket.off("session", greeted).off("connect_error", refused);
    };
    const greeted = (message: unknown) => {
      const found = sessionSchema.safeParse(message);
      if (!found.success) return fail(new SocketUnavailable("another kind of server answers the socket"));
      done();
      resolve(found.data);
    };
    const refused = (error: Error) =>
      fail(readRefusal(error) ?? new SocketUnavailable(error.message, { cause: error }));
    socket.on("session", greeted).on("connect_error", refused);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    socket.connect();
  });
}

export function readRefusal(error: Error & { data?: unknown }): CrowdaiError | undefined {
  const found = errorBodySchema.safeParse(error.data);
  return found.success ? CrowdaiError.fromBody(found.data) : undefined;
}
