import {
  type Ack,
  CrowdaiError,
  callSchema,
  createSessionSchema,
  intentSchema,
  isLastEvent,
  submissionRefSchema,
  watchBoardSchema,
  watchSchema,
} from "@crowdai/shared";
import type { Socket } from "socket.io";
import { z } from "zod";
import { type BoardWatch, watcherOf } from "../domain/leaderboard/board-watch.ts";
import type { Caller } from "../domain/participants/api-keys.ts";
import { isOpenBoard, sightOfBoard } from "../domain/rules/visibility.ts";
import { createSession } from "../domain/sessions/create-session.ts";
import { type AcceptNeeds, acceptUpload } from "../domain/submissions/accept-upload.ts";
import { type CancelNeeds, cancelSubmission } from "../domain/submissions/cancel-submission.ts";
import { readEvents } from "../domain/submissions/events.ts";
import { findFreeOrOwn, findSubmission, requireFreeOrOwn } from "../domain/submissions/find-submission.ts";
import { type CallNeeds, registerCall } from "../domain/submissions/register-call.ts";
import { type IntentNeeds, registerIntent } from "../domain/submissions/register-intent.ts";
import { viewSubmission } from "../domain/submissions/view-submission.ts";
import { identifyParticipant } from "../domain/webapp/webapp.ts";
import type { SubmissionRow } from "../records/tables.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Watchers } from "./watchers.ts";

/** The services that answering requests uses. */
export type RequestNeeds = AcceptNeeds & CancelNeeds & CallNeeds & IntentNeeds;

export type Request = (socket: Socket, message: unknown, acknowledge: unknown) => Promise<void>;

/** Handles a session's requests, by the name of the message. Each is answered by its acknowledgement. */
export function sessionRequests(options: {
  context: () => RequestNeeds;
  watchers: Watchers;
  broadcast: Broadcast;
  boards: BoardWatch;
  keyOf: (socket: Socket) => string;
  /** Logs an unexpected error, and returns the error to send. */
  logged: (thrown: unknown) => CrowdaiError;
}): ReadonlyMap<string, Request> {
  const { context, watchers, broadcast, boards, keyOf, logged } = options;
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
        // Identified again for each request: a revoked key stops working at once.
        const caller = await identifyParticipant(context().webapp, keyOf(socket));
        answer({ ok: true, value: await work(caller, input.data, socket) });
      } catch (thrown) {
        answer({ ok: false, error: logged(thrown).toBody() });
      }
    });
  };

  // Watched before it is registered, so that no event is missed; the id of another participant is refused
  // first.
  async function watching<T>(
    caller: Caller,
    id: string,
    socket: Socket,
    register: (known: SubmissionRow | undefined) => Promise<T>,
  ): Promise<T> {
    const known = await findFreeOrOwn(context().records.db, caller, id);
    watchers.add(id, socket);
    return register(known).catch((error) => {
      watchers.remove(id, socket);
      throw error;
    });
  }
  on("submit", intentSchema, (caller, intent, socket) =>
    watching(caller, intent.id, socket, (known) => registerIntent(context(), caller, intent, known)),
  );
  on("environment:create", createSessionSchema, (caller, session, socket) =>
    watching(caller, session.id, socket, (known) => createSession(context(), caller, session, known)),
  );
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
    // Watched before reading, so that no event is missed. One may arrive twice, in the answer and live; its
    // number shows that.
    watchers.add(id, socket);
    const events = await readEvents(db, id, after);
    const row = await findSubmission(db, caller, id);
    broadcast.caughtUp(id, events.at(-1)?.seq ?? after);
    // Up to the last event read, not up to the row, which is read later: events in between are still on their
    // way.
    const last = events.at(-1);
    if (last && isLastEvent(last.type)) watchers.remove(id, socket);
    return { submission: await viewSubmission(context(), db, row), events };
  });

  // The leaderboards that each session watches.
  const boardsOf = new WeakMap<Socket, Set<string>>();
  on("watch_board", watchBoardSchema, async (caller, { challenge }, socket) => {
    const { catalog } = context();
    const { id } = catalog.get(challenge).config;
    const requireSight = async () => sightOfBoard(context(), catalog.get(id).config, caller);
    await requireSight();
    const watched = boardsOf.get(socket) ?? new Set();
    boardsOf.set(socket, watched);
    // The invitation may be withdrawn, or the board hidden, while the session is open.
    const mayRead = async () => isOpenBoard(catalog, id) || requireSight().then(Boolean, () => false);
    let watch: Awaited<ReturnType<BoardWatch["watch"]>> | undefined;
    const end = () => {
      watch?.stop();
      watched.delete(id);
      socket.off("disconnect", end);
    };
    watch = await boards.watch(id, watcherOf(caller, ""), (moved) => {
      mayRead().then((may) => (may ? socket.emit("leaderboard", moved) : end()));
    });
    if (watched.has(id) || !socket.connected) watch.stop();
    else {
      watched.add(id);
      socket.once("disconnect", end);
    }
    return { boards: watch.now };
  });

  return requests;
}
