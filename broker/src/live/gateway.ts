import type { Server as HttpServer } from "node:http";
import {
  type Ack,
  asCrowdaiError,
  CrowdaiError,
  callSchema,
  handshakeSchema,
  intentSchema,
  isLastEvent,
  MESSAGE_LIMIT,
  type SubmissionEvent,
  submissionRefSchema,
  watchBoardSchema,
  watchSchema,
} from "@crowdai/shared";
import { Server, type ServerOptions, type Socket } from "socket.io";
import { z } from "zod";
import type { LegacyDoor } from "../legacy/door.ts";
import { createEngine } from "../legacy/engine.ts";
import type { Caller } from "../participants/keys.ts";
import { sightOfBoard } from "../rules/visibility.ts";
import { acceptUpload } from "../submissions/accept.ts";
import { registerCall } from "../submissions/call.ts";
import { cancelSubmission } from "../submissions/cancel.ts";
import type { SubmissionContext } from "../submissions/context.ts";
import { readEvents } from "../submissions/events.ts";
import { findFreeOrOwn, findSubmission, requireFreeOrOwn } from "../submissions/find.ts";
import { registerIntent } from "../submissions/register.ts";
import { viewSubmission } from "../submissions/view.ts";
import { identifyParticipant } from "../webapp/webapp.ts";
import type { BoardWatch } from "./board-watch.ts";
import { createBroadcast } from "./broadcast.ts";
import { openSession } from "./session.ts";
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

interface Held {
  key: string;
  caller: Caller;
}

/** The exchange: sessions over socket.io, on the HTTP server of the routes. */
export function openGateway(options: {
  server: HttpServer;
  context: () => SubmissionContext;
  version: string;
  /** Joins this broker to others; absent where there is one. */
  adapter?: ServerOptions["adapter"];
  boards: BoardWatch;
  /** Told of every event, whichever broker wrote it. */
  heard: (events: SubmissionEvent[]) => void;
  /** Where clients of the first crowdAI come in; absent where they are refused. */
  legacy?: LegacyDoor | undefined;
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
  const engine = createEngine(settings);
  engine.attach(server, { path: "/socket.io" });
  const io = new Server(settings).bind(engine);

  const watchers = createWatchers();
  const broadcast = createBroadcast(watchers, context);

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
    socket.data = hold({ key: auth.data.apiKey, caller });
    const session = await openSession(context(), caller, auth.data.challenge ?? null, version);
    // Handlers stand before the client hears of the session, so that nothing it then sends is missed.
    serve(socket);
    setImmediate(() => {
      socket.emit("session", session);
      forgetRequest(socket);
    });
  }

  // Sessions of one key share what is held of it.
  let holding = new Map<string, Held>();
  function hold(held: Held): Held {
    const known = holding.get(held.caller.keyHash) ?? held;
    holding.set(held.caller.keyHash, known);
    return known;
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

  type Request = (socket: Socket, message: unknown, acknowledge: unknown) => Promise<void>;
  const requests = new Map<string, Request>();
  const on = <I, O>(
    name: string,
    schema: z.ZodType<I>,
    work: (caller: Caller, input: I, socket: Socket) => Promise<O>,
  ) => {
    requests.set(name, async (socket, message, acknowledge) => {
      const answer = typeof acknowledge === "function" ? (acknowledge as (ack: Ack<O>) => void) : () => {};
      try {
        const input = schema.safeParse(message);
        if (!input.success) throw new CrowdaiError("usage", `${name}: ${z.prettifyError(input.error)}`);
        // Asked again each time: a key that was revoked a moment ago does nothing more.
        const caller = await identifyParticipant(context().webapp, (socket.data as Held).key);
        answer({ ok: true, value: await work(caller, input.data, socket) });
      } catch (thrown) {
        answer({ ok: false, error: logged(thrown).toBody() });
      }
    });
  };

  // Watched before it is registered, so that no event slips between; somebody else's id is refused first.
  on("submit", intentSchema, async (caller, intent, socket) => {
    const known = await findFreeOrOwn(context().records.db, caller, intent.id);
    watchers.add(intent.id, socket);
    return registerIntent(context(), caller, intent, known).catch((error) => {
      watchers.remove(intent.id, socket);
      throw error;
    });
  });
  on("call", callSchema, async (caller, call, socket) => {
    const ids = call.items.map(({ id }) => id);
    await requireFreeOrOwn(context().records.db, caller, ids);
    for (const id of ids) watchers.add(id, socket);
    try {
      return { submissions: await registerCall(context(), caller, call) };
    } catch (error) {
      for (const id of ids) watchers.remove(id, socket);
      throw error;
    }
  });
  on("complete", submissionRefSchema, (caller, { id }) => acceptUpload(context(), caller, id));
  on("cancel", submissionRefSchema, (caller, { id }) => cancelSubmission(context(), caller, id));
  on("watch", watchSchema, async (caller, { id, after }, socket) => {
    const { db } = context().records;
    await findSubmission(db, caller, id);
    // Watched before reading: an event may come twice, by the answer and live, and its number tells; none is missed.
    watchers.add(id, socket);
    const events = await readEvents(db, id, after);
    const row = await findSubmission(db, caller, id);
    broadcast.caughtUp(id, events.at(-1)?.seq ?? after);
    // By the last event read, not by the row, which is read later: what came in between is still on its way here.
    const last = events.at(-1);
    if (last && isLastEvent(last.type)) watchers.remove(id, socket);
    return { submission: await viewSubmission(context(), db, row), events };
  });

  // Which boards each session watches.
  const boardsOf = new WeakMap<Socket, Set<string>>();
  on("watch_board", watchBoardSchema, async (caller, { challenge }, socket) => {
    const { config } = context().catalogue.get(challenge);
    await sightOfBoard(context().records.db, config, caller);
    const { now, stop } = await boards.watch(config.id, (moved) => socket.emit("leaderboard", moved));
    const watched = boardsOf.get(socket) ?? new Set();
    boardsOf.set(socket, watched);
    if (watched.has(config.id) || !socket.connected) stop();
    else {
      watched.add(config.id);
      socket.once("disconnect", stop);
    }
    return { boards: now };
  });

  function logged(thrown: unknown): CrowdaiError {
    const error = asCrowdaiError(thrown);
    if (error.code === "unexpected") context().log.error({ err: thrown }, "unexpected error in a session");
    return error;
  }

  let isTelling = false;
  const places = setInterval(async () => {
    if (isTelling) return;
    isTelling = true;
    await broadcast.tellPlaces().catch((error) => context().log.warn({ err: error }, "places not told"));
    isTelling = false;
  }, PLACE_INTERVAL_MS);
  // What another broker wrote is announced through Redis, which may lose a word; the records do not.
  const catchUps = setInterval(() => {
    if (adapter) broadcast.catchUp().catch((error) => context().log.warn({ err: error }, "no catching up"));
  }, CATCH_UP_MS);
  io.on(ANNOUNCE, (events: SubmissionEvent[]) => {
    broadcast.deliver(events);
    heard(events);
  });

  // Nobody with a revoked key listens on: their sockets are closed.
  let isChecking = false;
  const keys = setInterval(async () => {
    if (isChecking) return;
    isChecking = true;
    await endRevoked().catch((error) => context().log.warn({ err: error }, "revoked keys not looked for"));
    isChecking = false;
  }, KEY_CHECK_MS);

  async function endRevoked(): Promise<void> {
    const ended = await context().webapp.ended(keysInUse);
    if (ended.size === 0) return;
    for (const socket of io.sockets.sockets.values())
      if (ended.has((socket.data as Partial<Held>).caller?.keyHash ?? "")) socket.disconnect(true);
  }

  function keysInUse(): Map<string, string> {
    holding = new Map();
    for (const socket of io.sockets.sockets.values()) {
      const held = socket.data as Partial<Held>;
      if (held.caller && held.key) hold(held as Held);
    }
    return new Map([...holding].map(([hash, { key }]) => [hash, key]));
  }

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
