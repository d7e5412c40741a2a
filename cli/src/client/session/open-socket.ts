import { CrowdaiError, parseExact, type Session, sessionSchema } from "@crowdai/shared";
import { exactParser } from "@crowdai/shared/exact-parser";
import { io, NodeWebSocket, type Socket } from "socket.io-client";
import * as socketParser from "socket.io-parser";
import { interruption } from "../../async/abort.ts";
import { receivedErrorSchema } from "../http/received-error.ts";
import type { SessionOptions } from "./broker-session.ts";

const OPENING_MS = 10_000;

/** No socket could be opened, and the broker did not refuse it: it is down, or the network blocks sockets. */
export class SocketUnavailable extends Error {
  override readonly name = "SocketUnavailable";
}

/**
 * Closes a connection whose first packet cannot be read; engine.io's own would end the process with an
 * uncaught error.
 */
class CarefulWebSocket extends NodeWebSocket {
  protected override onPacket(packet: Parameters<NodeWebSocket["onPacket"]>[0]): void {
    try {
      super.onPacket(packet);
    } catch (error) {
      this.onError("packet not understood", error);
    }
  }
}

/**
 * Connects a socket and waits for the broker's first message. Throws the broker's refusal, or
 * SocketUnavailable.
 */
export async function openSocket(
  broker: URL,
  options: SessionOptions,
): Promise<{ socket: Socket; opening: Session }> {
  const { key, lease, challenge, client } = options;
  const socket = io(broker.origin, {
    path: `${broker.pathname.replace(/\/+$/, "")}/socket.io/`,
    // If WebSockets are blocked, http-session.ts replaces them; socket.io need not try another transport.
    transports: [CarefulWebSocket],
    auth: authOf({ key, lease, challenge, client }),
    agent: options.agents?.(broker) as unknown as string | undefined,
    parser: exactParser(socketParser, (text) => parseExact(text)),
    timeout: OPENING_MS,
    reconnectionDelay: 150,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.5,
    forceNew: true,
    autoConnect: false,
  });
  const opening = await firstSession(socket, options.signal);
  // A connection that breaks comes back whatever has become of the challenge: what it was opened for may go
  // on.
  socket.auth = authOf({ key, lease, client });
  return { socket, opening };
}

/**
 * Returns what each connection begins with. Without a new key the old one is sent: the broker then answers
 * why it is refused.
 */
function authOf({ key, lease, ...rest }: Pick<SessionOptions, "key" | "lease" | "challenge" | "client">) {
  if (!lease) return { apiKey: key, ...rest };
  return (send: (auth: object) => void) =>
    void lease
      .key()
      .catch(() => key)
      .then((apiKey) => send({ apiKey, ...rest }));
}

/** Connects and returns the broker's first message. */
function firstSession(socket: Socket, signal: AbortSignal | undefined): Promise<Session> {
  return new Promise<Session>((resolve, reject) => {
    const fail = (error: unknown) => {
      done();
      socket.disconnect();
      reject(error);
    };
    const abort = () => fail(interruption(signal!));
    const timer = setTimeout(
      () => fail(new SocketUnavailable("the socket received no message")),
      2 * OPENING_MS,
    );
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      socket.off("session", opened).off("connect_error", refused);
    };
    const opened = (message: unknown) => {
      const found = sessionSchema.safeParse(message);
      if (!found.success) return fail(new SocketUnavailable("another kind of server answered the socket"));
      done();
      resolve(found.data);
    };
    const refused = (error: Error) =>
      fail(readRefusal(error) ?? new SocketUnavailable(error.message, { cause: error }));
    socket.on("session", opened).on("connect_error", refused);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    socket.connect();
  });
}

/** Returns the broker's error in a refused connection, if there is one. */
export function readRefusal(error: Error & { data?: unknown }): CrowdaiError | undefined {
  const found = receivedErrorSchema.safeParse(error.data);
  return found.success ? CrowdaiError.fromBody(found.data) : undefined;
}
