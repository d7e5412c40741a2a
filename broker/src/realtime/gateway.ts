import type { Server as HttpServer } from "node:http";
import {
  asCrowdaiError,
  CrowdaiError,
  handshakeSchema,
  MESSAGE_LIMIT,
  type SubmissionEvent,
} from "@crowdai/shared";
import type { Transport } from "engine.io";
import { Server, type ServerOptions, type Socket } from "socket.io";
import type { BoardWatch } from "../domain/leaderboard/board-watch.ts";
import { identifyParticipant } from "../domain/webapp/webapp.ts";
import { type BroadcastNeeds, createBroadcast } from "./broadcast.ts";
import { createEngine } from "./engine.ts";
import { openSession, type SessionNeeds } from "./open-session.ts";
import { createSessionKeys, type SessionKey } from "./session-keys.ts";
import { type RequestNeeds, sessionRequests } from "./session-requests.ts";
import { createWatchers } from "./watchers.ts";

const PLACE_INTERVAL_MS = 500;
const KEY_CHECK_MS = 1000;
const CATCH_UP_MS = 2000;
const NOTHING = Object.freeze({});
/** Between brokers: events that one of them has just written. */
const ANNOUNCE = "announce";

export interface Gateway {
  /** Sends events to whoever watches their submission, at any broker. */
  announce(events: SubmissionEvent[]): void;
  /** Clients that are connected here. */
  sessions(): number;
  /** Submissions that somebody connected here watches. */
  watched(): number;
  close(): Promise<void>;
}

/** Serves the connections of clients that speak engine.io protocol 3. */
export interface LegacyConnections {
  /** Prepares a transport before its handshake is answered. */
  prepare(transport: Transport): void;
  enter(socket: Socket): void;
  close(): Promise<void>;
}

/** The exchange: sessions over socket.io, on the HTTP server of the routes. */
export function openGateway(options: {
  server: HttpServer;
  context: () => BroadcastNeeds & SessionNeeds & RequestNeeds;
  version: string;
  /** Joins this broker to others; absent where there is one. */
  adapter?: ServerOptions["adapter"];
  boards: BoardWatch;
  /** Told of every event, whichever broker wrote it. */
  heard: (events: SubmissionEvent[]) => void;
  /** Where clients of the first crowdAI come in; absent where they are refused. */
  legacy?: LegacyConnections | undefined;
}): Gateway {
  const { server, context, version, adapter, boards, heard, legacy } = options;
  const settings = {
    ...(adapter ? { adapter } : {}),
    allowEIO3: legacy !== undefined,
    maxHttpBufferSize: MESSAGE_LIMIT,
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    pingInterval: 10_000,
    pingTimeout: 10_000,
    // Browsers need no session here: the pages have their own, same-origin ones.
    cors: { origin: false },
  };
  const engine = createEngine(settings, legacy?.prepare);
  engine.attach(server, { path: "/socket.io" });
  const io = new Server(settings).bind(engine);

  const watchers = createWatchers();
  const broadcast = createBroadcast(watchers, context);
  const held = createSessionKeys(() => io.sockets.sockets.values());

  io.use((socket, next) => {
    if (legacy && isLegacy(socket)) {
      legacy.enter(socket);
      return next();
    }
    enter(socket).then(
      () => next(),
      (thrown) => next(Object.assign(new Error("refused"), { data: logged(thrown).toBody() })),
    );
  });

  async function enter(socket: Socket): Promise<void> {
    const auth = handshakeSchema.safeParse(socket.handshake.auth);
    if (!auth.success) throw new CrowdaiError("no_key");
    const caller = await identifyParticipant(context().webapp, auth.data.apiKey);
    socket.data = held.hold({ key: auth.data.apiKey, caller });
    const session = await openSession(context(), caller, auth.data.challenge ?? null, version);
    // Handlers stand before the client hears of the session, so that nothing it then sends is missed.
    serve(socket);
    setImmediate(() => {
      socket.emit("session", session);
      forgetRequest(socket);
    });
  }

  /**
   * The request that opened a session, with all its headers, would be kept as long as the session; nobody asks for it again. Nor does
   * anybody speak to the room of a single session.
   */
  function forgetRequest(socket: Socket): void {
    // The client's own `request` reads this one.
    (socket.conn as unknown as { request: unknown }).request = null;
    Object.assign(socket.handshake, { headers: NOTHING, query: NOTHING, auth: NOTHING });
    socket.leave(socket.id);
  }

  /** One listener a session, and not one for each event: thousands of idle watchers keep theirs in memory. */
  function serve(socket: Socket): void {
    socket.onAny((name: string, message: unknown, acknowledge: unknown) => {
      const request = requests.get(name);
      if (request) void request(socket, message, acknowledge);
    });
  }

  const requests = sessionRequests({
    context,
    watchers,
    broadcast,
    boards,
    keyOf: (socket) => (socket.data as SessionKey).key,
    logged,
  });

  function logged(thrown: unknown): CrowdaiError {
    const error = asCrowdaiError(thrown);
    if (error.code === "unexpected") context().log.error({ err: thrown }, "unexpected error in a session");
    return error;
  }

  let isSending = false;
  const places = setInterval(async () => {
    if (isSending) return;
    isSending = true;
    await broadcast
      .sendQueuePositions()
      .catch((error) => context().log.warn({ err: error }, "places not told"));
    isSending = false;
  }, PLACE_INTERVAL_MS);
  // What another broker wrote is announced through Redis, which may lose a word; the records do not.
  const catchUps = setInterval(() => {
    if (adapter) broadcast.catchUp().catch((error) => context().log.warn({ err: error }, "no catching up"));
  }, CATCH_UP_MS);
  io.on(ANNOUNCE, (events: SubmissionEvent[]) => {
    broadcast.deliver(events);
    heard(events);
  });

  let isChecking = false;
  const keys = setInterval(async () => {
    if (isChecking) return;
    isChecking = true;
    await held
      .endRevoked(context().webapp)
      .catch((error) => context().log.warn({ err: error }, "revoked keys not looked for"));
    isChecking = false;
  }, KEY_CHECK_MS);

  return {
    announce(events) {
      broadcast.deliver(events);
      heard(events);
      if (adapter && events.length > 0) io.serverSideEmit(ANNOUNCE, events);
    },
    sessions: () => io.sockets.sockets.size,
    watched: () => broadcast.watched(),
    async close() {
      clearInterval(places);
      clearInterval(catchUps);
      clearInterval(keys);
      // This broker's own: the others' clients have no reason to leave.
      io.local.disconnectSockets(true);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([io.close(), legacy?.close(), closed]);
    },
  };
}

/** A modern client brings its key with the connection; the published Python client speaks the protocol before. */
const isLegacy = (socket: Socket): boolean => socket.conn.protocol === 3;
