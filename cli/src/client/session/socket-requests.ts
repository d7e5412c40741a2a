import { CrowdaiError } from "@crowdai/shared";
import type { Socket } from "socket.io-client";
import { z } from "zod";
import { abortable } from "../../async/abort.ts";
import { backoff } from "../../async/retry.ts";
import { fieldOf, notUnderstood, type Versions } from "../http/not-understood.ts";
import { receivedErrorSchema } from "../http/received-error.ts";

/**
 * How often a request is sent again that the broker could not handle at the moment, as requests over HTTP
 * are.
 */
const MAX_RETRIES = 3;
/** A broker that takes requests and answers none is given up no earlier than after so many. */
const MAX_UNANSWERED = 3;
const refusedSchema = z.object({
  ok: z.literal(false),
  error: receivedErrorSchema,
});

export interface AskOptions {
  signal?: AbortSignal;
  /** How long one answer may take on an open connection. */
  answerMs: number;
}

interface Pending {
  send(): void;
  fail(error: unknown): void;
}

/**
 * Requests that survive a cut connection: those without an answer are sent again on the next one, and so are
 * those that the broker answers as one that lacks something for a moment (503). That is safe because the
 * broker recognizes a repetition by its id. One that is never answered, however often it is sent, fails with
 * broker_lost.
 */
export interface Requests {
  ask<T>(event: string, message: unknown, schema: z.ZodType<T>, asked: AskOptions): Promise<T>;
  /** The connection is open: sends all unanswered requests. */
  opened(): void;
  /** The connection broke: nothing is sent until it is open again. */
  broke(): void;
  /** Rejects all requests, pending and future. */
  fail(error: unknown): void;
}

/**
 * Creates the requests of a session. `reconnect` is called when an answer takes too long, and `renew`, if
 * given, when the broker answers that the key has expired: both open a new connection.
 */
export function createRequests(
  socket: Socket,
  versions: Versions,
  reconnect: () => void,
  { renew, lostAfterMs }: { renew?: (() => void) | undefined; lostAfterMs: number },
): Requests {
  const pending = new Set<Pending>();
  let open = false;
  let ended: { error: unknown } | undefined;

  return {
    ask: (event, message, schema, { signal, answerMs }) =>
      abortable((resolve, dispose, reject) => {
        if (ended) return reject(ended.error);
        let timer: NodeJS.Timeout | undefined;
        let retries = 0;
        let unanswered = 0;
        let firstAt = 0;
        const request: Pending = {
          send() {
            clearTimeout(timer);
            if (unanswered++ === 0) firstAt = performance.now();
            const waitedMs = performance.now() - firstAt;
            if (unanswered > MAX_UNANSWERED && waitedMs >= Math.max(lostAfterMs, MAX_UNANSWERED * answerMs))
              return reject(new CrowdaiError("broker_lost"));
            timer = setTimeout(reconnect, answerMs);
            socket.emit(event, message, (answer: unknown) => {
              unanswered = 0;
              try {
                resolve(readAck(answer, schema, versions));
              } catch (error) {
                if (renew && isExpired(error) && retries++ < MAX_RETRIES) return renew();
                if (!isTemporary(error) || retries >= MAX_RETRIES) return reject(error);
                clearTimeout(timer);
                timer = setTimeout(() => open && request.send(), backoff(retries++));
              }
            });
          },
          fail: reject,
        };
        pending.add(request);
        dispose(() => {
          clearTimeout(timer);
          pending.delete(request);
        });
        if (open) request.send();
      }, signal),
    opened() {
      open = true;
      for (const request of pending) request.send();
    },
    broke() {
      open = false;
    },
    fail(error) {
      ended ??= { error };
      for (const request of [...pending]) request.fail(error);
    },
  };
}

/** Whether the broker's answer is that a later request may succeed. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof CrowdaiError && error.row.http === 503;

/** Whether the broker's answer is that the key has expired. */
export const isExpired = (error: unknown): boolean =>
  error instanceof CrowdaiError && error.code === "session_expired";

function readAck<T>(answer: unknown, schema: z.ZodType<T>, versions: Versions): T {
  const refused = refusedSchema.safeParse(answer);
  if (refused.success) throw CrowdaiError.fromBody(refused.data.error);
  const found = z.object({ ok: z.literal(true), value: schema }).safeParse(answer);
  if (found.success) return found.data.value as T;
  const field = fieldOf(found.error)?.replace(/^value\./, "");
  throw notUnderstood(`unexpected JSON${field ? ` at ${field}` : ""}`, versions);
}
