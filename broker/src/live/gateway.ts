import type { Server as HttpServer } from "node:http";
import {
  type Ack,
  asCrowdaiError,
  CrowdaiError,
  callSchema,
  handshakeSchema,
  intentSchema,
  type LiveEvent,
  MESSAGE_LIMIT,
  type Place,
  type SubmissionEvent,
  submissionRefSchema,
  watchSchema,
} from "@crowdai/shared";
import { Server, type Socket } from "socket.io";
import { z } from "zod";
import { type Caller, identifyParticipant } from "../participants/keys.ts";
import { acceptUpload } from "../submissions/accept.ts";
import { registerCall } from "../submissions/call.ts";
import { cancelSubmission } from "../submissions/cancel.ts";
import type { SubmissionContext } from "../submissions/context.ts";
import { readEvents } from "../submissions/events.ts";
import { findSubmission, requireFreeOrOwn } from "../submissions/find.ts";
import { registerIntent } from "../submissions/register.ts";
import { viewSubmission, whyWaiting } from "../submissions/view.ts";
import { openSession } from "./session.ts";

const PLACE_INTERVAL_MS = 500;
const KEY_CHECK_MS = 1000;

export interface Gateway {
  /** Sends events to whoever watches their submission. */
  announce(events: SubmissionEvent[]): void;
  close(): Promise<void>;
}

interface Held {
  key: string;
  caller: Caller;
}

/** The exchange: sessions over socket.io, on the HTTP server of the routes. */
export function openGateway(server: HttpServer, context: () => SubmissionContext, version: string): Gateway {
  const io = new Server(server, {
    maxHttpBufferSize: MESSAGE_LIMIT,
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    pingInterval: 10_000,
    pingTimeout: 10_000,
    // Browsers need no session here: the pages have their own, same-origin ones.
    cors: { origin: false },
  });

  io.use((socket, next) => {
    enter(socket).then(
      () => next(),
      (thrown) => next(Object.assign(new Error("refused"), { data: logged(thrown).toBody() })),
    );
  });

  async function enter(socket: Socket): Promise<void> {
    const auth = handshakeSchema.safeParse(socket.handshake.auth);
    if (!auth.success) throw new CrowdaiError("no_key");
    const caller = await identifyParticipant(context().records.db, auth.data.apiKey);
    socket.data = { key: auth.data.apiKey, caller };
    const session = await openSession(context(), caller, auth.data.challenge ?? null, version);
    // Handlers stand before the client hears of the session, so that nothing it then sends is missed.
    serve(socket);
    setImmediate(() => socket.emit("session", session));
  }

  function serve(socket: Socket): void {
    const { key } = socket.data as Held;
    const on = <I, O>(name: string, schema: z.ZodType<I>, work: (caller: Caller, input: I) => Promise<O>) => {
      socket.on(name, async (message: unknown, acknowledge: unknown) => {
        const answer = typeof acknowledge === "function" ? (acknowledge as (ack: Ack<O>) => void) : () => {};
        try {
          const input = schema.safeParse(message);
          if (!input.success) throw new CrowdaiError("usage", `${name}: ${z.prettifyError(input.error)}`);
          // Asked again each time: a key that was revoked a moment ago does nothing more.
          const caller = await identifyParticipant(context().records.db, key);
          answer({ ok: true, value: await work(caller, input.data) });
        } catch (thrown) {
          answer({ ok: false, error: logged(thrown).toBody() });
        }
      });
    };
    const watch = (id: string) => socket.join(room(id));

    // Watched before it is registered, so that no event slips between; somebody else's id is refused first.
    on("submit", intentSchema, async (caller, intent) => {
      await requireFreeOrOwn(context().records.db, caller, [intent.id]);
      await watch(intent.id);
      return registerIntent(context(), caller, intent).catch((error) => {
        socket.leave(room(intent.id));
        throw error;
      });
    });
    on("call", callSchema, async (caller, call) => {
      const ids = call.items.map(({ id }) => id);
      await requireFreeOrOwn(context().records.db, caller, ids);
      for (const id of ids) await watch(id);
      return { submissions: await registerCall(context(), caller, call) };
    });
    on("complete", submissionRefSchema, (caller, { id }) => acceptUpload(context(), caller, id));
    on("cancel", submissionRefSchema, (caller, { id }) => cancelSubmission(context(), caller, id));
    on("watch", watchSchema, async (caller, { id, after }) => {
      const { db } = context().records;
      await findSubmission(db, caller, id);
      // Joined before reading: an event may come twice, by the answer and live, and its number tells; none is missed.
      await watch(id);
      const events = await readEvents(db, id, after);
      const row = await findSubmission(db, caller, id);
      return { submission: await viewSubmission(context(), db, row), events };
    });
  }

  function logged(thrown: unknown): CrowdaiError {
    const error = asCrowdaiError(thrown);
    if (error.code === "unexpected") context().log.error({ err: thrown }, "unexpected error in a session");
    return error;
  }

  async function emit(event: SubmissionEvent): Promise<void> {
    const target = room(event.submission);
    if (!io.sockets.adapter.rooms.has(target)) return;
    const final = event.type === "graded" || event.type === "failed" || event.type === "cancelled";
    const live: LiveEvent = { event, submission: null };
    if (final) {
      const { db } = context().records;
      const row = await db
        .selectFrom("submissions")
        .selectAll()
        .where("id", "=", event.submission)
        .executeTakeFirst();
      if (row) live.submission = await viewSubmission(context(), db, row);
    }
    io.to(target).emit("event", live);
    if (final) io.socketsLeave(target);
  }

  // Places change when a job leaves the line; told at a slow interval, and only when they changed.
  const told = new Map<string, string>();
  const places = setInterval(() => {
    tellPlaces().catch((error) => context().log.warn({ err: error }, "places not told"));
  }, PLACE_INTERVAL_MS);
  async function tellPlaces(): Promise<void> {
    const watched = [...io.sockets.adapter.rooms.keys()].filter((name) => name.startsWith(ROOM));
    for (const id of told.keys()) if (!watched.includes(room(id))) told.delete(id);
    if (watched.length === 0) return;
    const { db } = context().records;
    const rows = await db
      .selectFrom("submissions")
      .select(["id", "number", "challenge"])
      .where("state", "=", "submitted")
      .where(
        "id",
        "in",
        watched.slice(0, 1000).map((name) => name.slice(ROOM.length)),
      )
      .execute();
    for (const row of rows) {
      const { place, reason } = await whyWaiting(context(), db, row);
      const now = JSON.stringify([place, reason]);
      if (told.get(row.id) === now) continue;
      told.set(row.id, now);
      const message: Place = { submission: row.id, place, waiting: reason };
      io.to(room(row.id)).emit("place", message);
    }
  }

  // Nobody with a revoked key listens on: their sockets are closed within a second.
  let checkedUntil = new Date().toISOString();
  const keys = setInterval(async () => {
    const from = checkedUntil;
    checkedUntil = new Date().toISOString();
    const revoked = await context()
      .records.db.selectFrom("api_keys")
      .select("hash")
      .where("revoked_at", ">=", from)
      .execute()
      .catch(() => []);
    if (revoked.length === 0) return;
    const ended = new Set(revoked.map(({ hash }) => hash));
    for (const socket of io.sockets.sockets.values())
      if (ended.has((socket.data as Held).caller.keyHash)) socket.disconnect(true);
  }, KEY_CHECK_MS);

  return {
    announce(events) {
      for (const event of events)
        emit(event).catch((error) =>
          context().log.error({ err: error, submission: event.submission }, "event not sent"),
        );
    },
    async close() {
      clearInterval(places);
      clearInterval(keys);
      io.disconnectSockets(true);
      await io.close();
    },
  };
}

const ROOM = "submission:";
const room = (id: string) => `${ROOM}${id}`;
