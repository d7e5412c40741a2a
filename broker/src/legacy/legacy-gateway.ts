import { randomBytes } from "node:crypto";
import { CrowdaiError } from "@crowdai/shared";
import type { Transport } from "engine.io";
import type { Socket } from "socket.io";
import { eventArguments } from "../base/event-arguments.ts";
import { asBrokerError, logMachineError } from "../base/machine-error.ts";
import type { CreateRateLimiter } from "../base/rate-limits.ts";
import type { Caller } from "../domain/participants/api-keys.ts";
import { requireVisible } from "../domain/rules/visibility.ts";
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
import { challengeOf, formError, planCall, requireLegacyChallenge, requireSession } from "./plan-call.ts";
import { createCallRateLimit } from "./rate-limit.ts";
import { runCall } from "./run-call.ts";
import type { SubmitServices } from "./submit-job.ts";
import type { LegacyUploads } from "./uploads.ts";

/** How long a connection may stay unauthenticated. */
const AUTHENTICATE_MS = 60_000;
/** Maximum open calls of one participant. */
const MAX_OPEN_CALLS = 50;

export interface LegacyGateway {
  /** Prepares a transport before its handshake is answered. */
  prepare(transport: Transport): void;
  /** Serves a connection of the published Python client, under the broker's own rules and records. */
  enter(socket: Socket): void;
  /** Ends messages to clients; their submissions continue. */
  close(): Promise<void>;
}

interface Session {
  token: string;
  key: string;
  caller: Caller;
}

/**
 * Opens the gateway for clients of the first crowdAI. It only translates: the code behind it treats all
 * clients alike.
 */
export function openLegacyGateway(options: {
  context: () => SubmitServices & Needs<"webapp" | "log">;
  uploads: LegacyUploads;
  nextEvent: NextEvent;
  createRateLimiter: CreateRateLimiter;
}): LegacyGateway {
  const { context, uploads, nextEvent, createRateLimiter } = options;
  const channels = createChannels();
  const rateLimit = createCallRateLimit(createRateLimiter);
  const open = new Map<number, number>();
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();

  async function authenticate(socket: Socket, message: unknown): Promise<[Session | null, object]> {
    try {
      await rateLimit.consume(socket.id);
      const read = authenticateSchema.safeParse(message);
      if (!read.success)
        throw hasKey(message) ? formError("authenticate", read.error) : new CrowdaiError("no_key");
      const key = read.data.API_KEY;
      const caller = await identifyParticipant(context().webapp, key);
      await requireLegacyChallenge(context(), caller, read.data);
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
      await rateLimit.consume(session ? `participant ${session.caller.id}` : socket.id);
      const read = executeSchema.safeParse(message);
      if (!read.success) throw formError("execute_function", read.error);
      requireSession(read.data, session);
      // Identified again for each call: a revoked key stops working at once.
      const requireKey = () => identifyParticipant(context().webapp, read.data.api_key);
      const caller = await requireKey();
      const { config } = context().catalog.get(challengeOf(read.data));
      await requireVisible(context(), config, caller);
      const jobs = planCall(config, read.data);
      return await counted(caller.id, () =>
        runCall({
          ...{ context: context(), uploads, caller, config, nextEvent, say, gone, jobs, requireKey },
          parallel: read.data.parallel,
        }),
      );
    } catch (thrown) {
      const word = errorMessage(logged(thrown).message);
      say("", 0, word);
      return Array<JobMessage>(asked.entries).fill(word);
    }
  }

  async function counted<T>(participant: number, work: () => Promise<T>): Promise<T> {
    const now = open.get(participant) ?? 0;
    if (now >= MAX_OPEN_CALLS)
      throw new CrowdaiError("too_many_requests", `You already have ${now} open calls.`);
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
    const error = asBrokerError(thrown);
    logMachineError(context().log, error);
    if (error.code === "unexpected")
      context().log.error(
        { event: "legacy_session_failed", err: thrown },
        "legacy session failed unexpectedly",
      );
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

      socket.on("authenticate", (...sent: unknown[]) => {
        const { message, acknowledge } = eventArguments(sent);
        track(
          authenticate(socket, message).then(([opened, response]) => {
            session = opened;
            // The live gateway ends connections with a revoked key, which it finds here.
            socket.data.caller = opened?.caller;
            if (opened) clearTimeout(deadline);
            // The client takes its session from the event, and continues at the acknowledgement.
            socket.emit("authenticate_response", response);
            acknowledge?.(response);
          }),
        );
      });
      socket.on("execute_function", (...sent: unknown[]) => {
        const { message, acknowledge } = eventArguments(sent);
        track(execute(socket, session, message, gone).then((words) => acknowledge?.(words.map(answerEntry))));
      });
      socket.on("disconnect", () => {
        clearTimeout(deadline);
        left.abort();
        channels.release(socket.id);
      });
    },

    async close() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}

const hasKey = (message: unknown): boolean =>
  typeof (message as { API_KEY?: unknown } | null | undefined)?.API_KEY === "string";

/** Reads what a refusal needs from a message of any form. */
function rough(message: unknown): { channel: string; entries: number } {
  const { response_channel: channel, data } = (message ?? {}) as Record<string, unknown>;
  const entries = Array.isArray(data) ? Math.min(Math.max(1, data.length), 1000) : 1;
  return { channel: typeof channel === "string" ? channel : "", entries };
}
