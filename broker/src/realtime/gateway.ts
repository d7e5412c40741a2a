import type { Server as HttpServer } from "node:http";
import {
  CrowdaiError,
  handshakeSchema,
  MAX_MESSAGE_BYTES,
  parseExact,
  type SubmissionEvent,
} from "@crowdai/shared";
import { exactParser } from "@crowdai/shared/exact-parser";
import type { Transport } from "engine.io";
import { Server, type ServerOptions, type Socket } from "socket.io";
import * as socketParser from "socket.io-parser";
import { eventArguments } from "../base/event-arguments.ts";
import { asBrokerError, logMachineError } from "../base/machine-error.ts";
import { createRequestId } from "../base/request-ids.ts";
import type { BoardWatch } from "../domain/leaderboard/board-watch.ts";
import type { RemoteAgents } from "../domain/sessions/remote-agents.ts";
import { identifyParticipant } from "../domain/webapp/webapp.ts";
import { type BroadcastNeeds, createBroadcast } from "./broadcast.ts";
import { createEngine } from "./engine.ts";
import { environmentRequests } from "./environment-requests.ts";
import { createEventRates, cut } from "./event-rates.ts";
import { openSession, type SessionNeeds } from "./open-session.ts";
import { createRequestQueues, WAITING_AT_ONCE } from "./request-queues.ts";
import { createSessionKeys, type SessionKey } from "./session-keys.ts";
import { type RequestNeeds, sessionRequests } from "./session-requests.ts";
import { createUnreadAnswers } from "./unread-answers.ts";
import { createWatchers } from "./watchers.ts";

const PLACE_INTERVAL_MS = 500;
/** After positions were sent, which takes long in a long queue, none are sent for this many times as long. */
const PLACE_REST = 4;
const KEY_CHECK_MS = 1000;
const CATCH_UP_MS = 2000;
const NOTHING = Object.freeze({});
/** Between brokers: events that one of them has just written. */
const ANNOUNCE = "announce";

export interface Gateway {
  /** Sends events to the clients that watch their submission, at any broker. */
  announce(events: SubmissionEvent[]): void;
  /** Number of clients connected here. */
  sessions(): number;
  /** Number of submissions watched by clients connected here. */
  watched(): number;
  /** Ends all sessions and the server; harmless to repeat. */
  close(): Promise<void>;
}

/** Serves the connections of clients that speak engine.io protocol 3. */
export interface LegacyConnections {
  /** Prepares a transport before its handshake is answered. */
  prepare(transport: Transport): void;
  enter(socket: Socket): void;
  close(): Promise<void>;
}

/** Opens the live gateway: sessions over socket.io, on the HTTP server of the routes. */
export function openGateway(options: {
  server: HttpServer;
  context: () => BroadcastNeeds & SessionNeeds & RequestNeeds;
  version: string;
  /** Connects this broker to others; absent when there is one broker. */
  adapter?: ServerOptions["adapter"];
  boards: BoardWatch;
  agents: RemoteAgents;
  /** Receives every event, whichever broker wrote it. */
  heard: (events: SubmissionEvent[]) => void;
  /** The gateway for clients of the first crowdAI; absent when they are turned off. */
  legacy?: LegacyConnections | undefined;
}): Gateway {
  const { server, context, version, adapter, boards, agents, heard, legacy } = options;
  const settings = {
    ...(adapter ? { adapter } : {}),
    allowEIO3: legacy !== undefined,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    // Values that JSON.stringify would write differently are stored as they were sent.
    parser: exactParser(socketParser, parsePacket),
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    pingInterval: 10_000,
    pingTimeout: 10_000,
    // Browsers need no session here: the pages have their own, of the same origin.
    cors: { origin: false },
  };
  const engine = createEngine(settings, legacy?.prepare);
  engine.attach(server, { path: "/socket.io" });
  const rates = createEventRates();
  const queues = createRequestQueues();
  const stepQueues = createRequestQueues(WAITING_AT_ONCE);
  const unread = createUnreadAnswers((connection) => {
    connection.close(true);
    cut(connection);
  });
  engine.on("connection", rates.guard);
  engine.on("connection", unread.guard);
  const io = new Server(settings).bind(engine);

  const watchers = createWatchers();
  const broadcast = createBroadcast(watchers, context);
  const held = createSessionKeys(() => io.sockets.sockets.values());

  io.use((socket, next) => {
    if (legacy && isLegacy(socket)) {
      socket.use((_event, next) => {
        const { caller } = socket.data as Partial<SessionKey>;
        if (!rates.refusal(socket, caller?.keyHash ?? socket.id)) next();
      });
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
    rates.admit(caller.keyHash, socket.conn);
    agents.connected(caller);
    unread.assign(socket.conn, caller.keyHash);
    socket.data = held.hold({ key: auth.data.apiKey, caller });
    const session = await openSession(context(), caller, auth.data.challenge ?? null, version);
    // Handlers are attached before the client learns of the session, so that no message of its is missed.
    serve(socket);
    setImmediate(() => {
      socket.emit("session", session);
      forgetRequest(socket);
    });
  }

  /**
   * Frees what would otherwise live as long as the session: the request that opened it, with all its headers,
   * and the socket.io room of the single session.
   */
  function forgetRequest(socket: Socket): void {
    // The client's own `request` reads this one.
    (socket.conn as unknown as { request: unknown }).request = null;
    Object.assign(socket.handshake, { headers: NOTHING, query: NOTHING, auth: NOTHING });
    socket.leave(socket.id);
  }

  /**
   * One listener per session instead of one per event, because thousands of idle watchers keep theirs in
   * memory.
   */
  function serve(socket: Socket): void {
    socket.onAny((name: string, ...sent: unknown[]) => {
      // Ended for its rate: what it sent before is not answered any more.
      if (!socket.connected) return;
      const step = steps.get(name);
      const request = step ?? requests.get(name);
      const { caller } = socket.data as SessionKey;
      const refusal = rates.refusal(socket, caller.keyHash, { isStep: step !== undefined });
      const { message, acknowledge } = eventArguments(sent);
      if (request && !refusal)
        return (step ? stepQueues : queues).add(socket, () => request(socket, message, acknowledge));
      if (acknowledge === null) return;
      const error = refusal ?? new CrowdaiError("usage", `There is no request "${name.slice(0, 100)}".`);
      acknowledge({ ok: false, error: error.toBody() });
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

  const steps = environmentRequests({ agents, logged });

  function logged(thrown: unknown): CrowdaiError {
    const error = asBrokerError(thrown);
    const { log } = context();
    const request_id = createRequestId();
    error.requestId = request_id;
    logMachineError(log, error, { request_id });
    if (error.code === "unexpected")
      log.error({ event: "session_failed", err: thrown, request_id }, "session failed unexpectedly");
    else
      log.info({ event: "session_request_refused", code: error.code, request_id }, "session request refused");
    return error;
  }

  let isSending = false;
  let nextPlacesAt = 0;
  const places = setInterval(async () => {
    const began = performance.now();
    if (isSending || began < nextPlacesAt) return;
    isSending = true;
    await broadcast
      .sendQueuePositions()
      .catch((error) =>
        context().log.warn(
          { event: "queue_position_update_failed", err: error },
          "queue position update failed",
        ),
      );
    isSending = false;
    const ended = performance.now();
    nextPlacesAt = ended + PLACE_REST * (ended - began);
  }, PLACE_INTERVAL_MS);
  // Events of other brokers are announced through Redis, which may lose a message; the records do not.
  const catchUps = setInterval(() => {
    if (adapter)
      broadcast
        .catchUp()
        .catch((error) =>
          context().log.warn({ event: "event_catch_up_failed", err: error }, "event catch-up failed"),
        );
  }, CATCH_UP_MS);
  io.on(ANNOUNCE, (events: SubmissionEvent[]) => {
    broadcast.deliver(events);
    heard(events);
  });

  // Those of one turn of the event loop go in one message, which costs as much as one event in it.
  let unsent: SubmissionEvent[] = [];
  function announceElsewhere(events: SubmissionEvent[]): void {
    if (unsent.length === 0 && events.length > 0)
      setImmediate(() => {
        io.serverSideEmit(ANNOUNCE, unsent);
        unsent = [];
      });
    unsent.push(...events);
  }

  let isChecking = false;
  const keys = setInterval(async () => {
    if (isChecking) return;
    isChecking = true;
    await held
      .endRevoked(context().webapp)
      .catch((error) =>
        context().log.warn(
          { event: "revoked_key_check_failed", err: error },
          "check for revoked keys failed",
        ),
      );
    isChecking = false;
  }, KEY_CHECK_MS);

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    clearInterval(places);
    clearInterval(catchUps);
    clearInterval(keys);
    // Only this broker's own clients: those of others have no reason to leave.
    io.local.disconnectSockets(true);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all([io.close(), legacy?.close(), closed]);
  }

  return {
    announce(events) {
      broadcast.deliver(events);
      heard(events);
      if (adapter) announceElsewhere(events);
    },
    sessions: () => io.sockets.sockets.size,
    watched: () => broadcast.watched(),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/**
 * Requests of agents to their sessions have numbers as JavaScript has them, and are too many to be parsed
 * twice.
 */
const parsePacket = (text: string): unknown =>
  text.startsWith('["environment:') ? JSON.parse(text) : parseExact(text, "data");

/**
 * A modern client sends its key with the connection; the published Python client uses an earlier protocol.
 */
const isLegacy = (socket: Socket): boolean => socket.conn.protocol === 3;
