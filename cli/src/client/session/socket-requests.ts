import { CrowdaiError } from "@crowdai/shared";
import type { Socket } from "socket.io-client";
import { z } from "zod";
import { abortable } from "../../async/abort.ts";

const refusedSchema = z.object({
  ok: z.literal(false),
  error: z.object({
    code: z.string(),
    message: z.string(),
    next: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});

export interface AskOptions {
  signal?: AbortSignal;
  /** How long one answer may take on a connection that stands. */
  answerMs: number;
}

interface Pending {
  send(): void;
  fail(error: unknown): void;
}

/**
 * Questions to the broker that survive a cut connection: what has no answer yet is asked again on the next one. That is
 * safe because the broker knows each by its id.
 */
export interface Requests {
  ask<T>(event: string, message: unknown, schema: z.ZodType<T>, asked: AskOptions): Promise<T>;
  /** The connection stands: everything unanswered is sent. */
  opened(): void;
  /** The connection broke: nothing is sent until it stands again. */
  broke(): void;
  /** Rejects everything, now and later. */
  fail(error: unknown): void;
}

export function createRequests(socket: Socket, reconnect: () => void): Requests {
  const pending = new Set<Pending>();
  let open = false;
  let ended: { error: unknown } | undefined;

  return {
    ask: (event, message, schema, { signal, answerMs }) =>
      abortable((resolve, dispose, reject) => {
        if (ended) return reject(ended.error);
        let timer: NodeJS.Timeout | undefined;
        const question: Pending = {
          send() {
            clearTimeout(timer);
            timer = setTimeout(reconnect, answerMs);
            socket.emit(event, message, (answer: unknown) => {
              try {
                resolve(readAck(answer, schema));
              } catch (error) {
                reject(error);
              }
            });
          },
          fail: reject,
        };
        pending.add(question);
        dispose(() => {
          clearTimeout(timer);
          pending.delete(question);
        });
        if (open) question.send();
      }, signal),
    opened() {
      open = true;
      for (const question of pending) question.send();
    },
    broke() {
      open = false;
    },
    fail(error) {
      ended ??= { error };
      for (const question of [...pending]) question.fail(error);
    },
  };
}

function readAck<T>(answer: unknown, schema: z.ZodType<T>): T {
  const refused = refusedSchema.safeParse(answer);
  if (refused.success) throw CrowdaiError.fromBody(refused.data.error);
  const found = z.object({ ok: z.literal(true), value: schema }).safeParse(answer);
  if (found.success) return found.data.value as T;
  throw new CrowdaiError("unexpected", "The broker's answer is not understood.", {
    next: "A newer client may be needed: compare `crowdai --version` with the broker's.",
    cause: found.error,
  });
}
