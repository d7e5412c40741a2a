import { randomBytes } from "node:crypto";
import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import type { Transport } from "engine.io";
import type { Socket } from "socket.io";
import type { Caller } from "../domain/participants/api-keys.ts";
import type { Needs } from "../domain/submissions/services.ts";
import { identifyParticipant } from "../domain/webapp/webapp.ts";
import { speakBinary } from "./binary-polling.ts";
import { createChannels } from "./channels.ts";
import type { NextEvent } from "./follow-events.ts";
import { errorMessage } from "./job-messages.ts";
import {
  AUTHENTICATION,
  answerEntry,
  authenticateSchema,
  executeSchema,
  type JobMessage,
  progressText,
} from "./messages.ts";
import { challengeOf, formError, planCall, requireSession } from "./plan-call.ts";
import { createRateLimit } from "./rate-limit.ts";
import { runCall } from "./run-call.ts";
import type { SubmitServices } from "./submit-job.ts";
import type { LegacyUploads } from "./uploads.ts";

/** How long a connection may stay without saying whose it is. */
const AUTHENTICATE_MS = 60_000;
/** Calls of one participant that may be open at once. */
const MAX_OPEN_CALLS = 50;
const TIDY_MS = 60_000;

export interface LegacyGateway {
  /** Prepares a transport before its handshake is answered. */
  prepare(transport: Transport): void;
  /** Serves a connection of the published Python client: its messages in, the broker's own rules and records behind. */
  enter(socket: Socket): void;
  /** Ends what is told to clients; what they handed in goes on. */
  close(): Promise<void>;
}

interface Session {
  token: string;
  key: string;
  caller: Caller;
}

/** Where clients of the first crowdAI come in. A thin translation: nothing behind it knows the difference. */
export function openLegacyGateway(options: {
  context: () => SubmitServices & Needs<"webapp" | "log">;
  uploads: LegacyUploads;
  nextEvent: NextEvent;
}): LegacyGateway {
  const { context, uploads, nextEvent } = options;
  const channels = createChannels();
  const rateLimit = createRateLimit();
  const open = new Map<number, number>();
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();
  const tidying = setInterval(() => rateLimit.tidy(), TIDY_MS);

  async function authenticate(socket: Socket, message: unknown): Promise<[Session | null, object]> {
    try {
      requireRateLimit(socket.id);
      const read = authenticateSchema.safeParse(message);
      if (!read.success) throw new CrowdaiError("no_key");
      const key = read.data.API_KEY;
      const caller = await identifyParticipant(context().webapp, key);
      const token = randomBytes(24).toString("base64url");
      const response = {
        response_type: AUTHENTICATION.SUCCESS,
        session_token: token,
        message: `Authenticated as ${caller.name}.`,
      };
      return [{ token, key, caller }, response];
    } catch (thrown) {
      return [null, { response_type: AUTHENTICATION.ERROR, message: logged(thrown).message }];
    }
  }

  async function execute(
    socket: Socket,
    session: Session | null,
    message: unknown,
    gone: AbortSignal,
  ): Promise<JobMessage[]> {
    const asked = rough(message);
    let say = (_id: string, _sequence: number, _word: JobMessage): void => {};
    try {
      channels.claim(asked.channel, socket.id);
      say = (id, sequence, word) => socket.emit(asked.channel, progressText(id, sequence, word));
      requireRateLimit(session ? `participant ${session.caller.id}` : socket.id);
      const read = executeSchema.safeParse(message);
      if (!read.success) throw formError(read.error);
      requireSession(read.data, session);
      // Asked again each time: a key that was revoked a moment ago does nothing more.
      const caller = await identifyParticipant(context().webapp, read.data.api_key);
      const { config } = context().catalog.get(challengeOf(read.data));
      const jobs = planCall(config, read.data);
      return await counted(caller.id, () =>
        runCall({
          ...{ context: context(), uploads, caller, config, nextEvent, say, gone, jobs },
          parallel: read.data.parallel,
        }),
      );
    } catch (thrown) {
      const word = errorMessage(logged(thrown).message);
      say("", 0, word);
      return Array<JobMessage>(asked.entries).fill(word);
    }
  }

  function requireRateLimit(caller: string): void {
    if (!rateLimit.allows(caller))
      throw new CrowdaiError("too_many_requests", "Too many calls at once: wait a second, then go on.");
  }

  async function counted<T>(participant: number, work: () => Promise<T>): Promise<T> {
    const now = open.get(participant) ?? 0;
    if (now >= MAX_OPEN_CALLS)
      throw new CrowdaiError("too_many_requests", `${now} calls of yours wait for their answers.`);
    open.set(participant, now + 1);
    try {
      return await work();
    } finally {
      const left = (open.get(participant) ?? 1) - 1;
      if (left === 0) open.delete(participant);
      else open.set(participant, left);
    }
  }

  function logged(thrown: unknown): CrowdaiError {
    const error = asCrowdaiError(thrown);
    if (error.code === "unexpected")
      context().log.error({ err: thrown }, "unexpected error in a legacy session");
    return error;
  }

  return {
    prepare: speakBinary,

    enter(socket) {
      let session: Session | null = null;
      const left = new AbortController();
      const gone = AbortSignal.any([left.signal, closing.signal]);
      const deadline = setTimeout(() => socket.disconnect(true), AUTHENTICATE_MS);
      const track = (work: Promise<unknown>) => {
        running.add(work);
        work.finally(() => running.delete(work));
      };

      socket.on("authenticate", (message: unknown, acknowledge: unknown) =>
        track(
          authenticate(socket, message).then(([opened, response]) => {
            session = opened;
            // The gateway ends connections whose key was revoked, by what it finds here.
            socket.data.caller = opened?.caller;
            if (opened) clearTimeout(deadline);
            // The client takes its session from the event, and goes on at the acknowledgement.
            socket.emit("authenticate_response", response);
            answer(acknowledge, response);
          }),
        ),
      );
      socket.on("execute_function", (message: unknown, acknowledge: unknown) =>
        track(
          execute(socket, session, message, gone).then((words) =>
            answer(acknowledge, words.map(answerEntry)),
          ),
        ),
      );
      socket.on("disconnect", () => {
        clearTimeout(deadline);
        left.abort();
        channels.release(socket.id);
      });
    },

    async close() {
      clearInterval(tidying);
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}

/** What a refusal needs of a message that may have any form. */
function rough(message: unknown): { channel: string; entries: number } {
  const { response_channel: channel, data } = (message ?? {}) as Record<string, unknown>;
  const entries = Array.isArray(data) ? Math.min(Math.max(1, data.length), 1000) : 1;
  return { channel: typeof channel === "string" ? channel : "", entries };
}

function answer(acknowledge: unknown, value: unknown): void {
  if (typeof acknowledge === "function") acknowledge(value);
}
