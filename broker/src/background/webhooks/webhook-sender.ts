import { markedStep } from "@crowdai/shared/marked-steps";
import { VERSION } from "../../base/version.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import {
  type ClaimedMessage,
  claimMessage,
  dueMessages,
  dueWebhooks,
  removeOldMessages,
  settleMessage,
} from "../../domain/webhooks/message-rows.ts";
import { messageId, signatureOf, webhookSecret } from "../../domain/webhooks/webhook-secret.ts";
import { readSecret } from "../../records/secret.ts";
import { type CircuitBreaker, createCircuitBreaker } from "../outbox/circuit-breaker.ts";
import { type Pauses, retryAt } from "../outbox/retry-at.ts";
import { workThrough } from "../outbox/work-through.ts";
import { messageBody } from "./message-body.ts";
import { NotTaken, type PostOptions, postMessage } from "./post-message.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
/** Requests to one webhook at a time. */
const AT_ONCE = 4;

export interface WebhookTimes {
  timeoutMs: number;
  pauses: Pauses;
  /** How long a message is tried. */
  giveUpMs: number;
  /**
   * How long nothing is sent to a webhook that did not answer; up to twelve times as long when it keeps
   * failing.
   */
  restMs: number;
  /** How long messages that ended are kept. */
  keepMs: number;
}

export const WEBHOOK_TIMES: WebhookTimes = {
  timeoutMs: 10 * SECOND,
  pauses: { firstMs: 5 * SECOND, longestMs: HOUR },
  giveUpMs: 48 * HOUR,
  restMs: 5 * SECOND,
  keepMs: 30 * 24 * HOUR,
};

export interface WebhookSender {
  /** Starts to send what is due. A webhook that is slow does not delay the others. */
  send(): Promise<void>;
  /** Removes messages that ended long ago. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** Sends the messages of the outbox to their webhooks, and tries again those that were not taken. */
export function createWebhookSender(
  context: Needs<"records" | "catalog" | "clock" | "log" | "baseUrl">,
  options: Pick<PostOptions, "hosts" | "resolve"> & { times?: WebhookTimes | undefined },
): WebhookSender {
  const { records, catalog, clock, log, baseUrl } = context;
  const { hosts, resolve, times = WEBHOOK_TIMES } = options;
  const closing = new AbortController();
  const breakers = new Map<number, CircuitBreaker>();
  const running = new Map<number, Promise<void>>();

  const breakerOf = (webhook: number) => {
    const breaker = breakers.get(webhook) ?? createCircuitBreaker(times.restMs, isOutage);
    breakers.set(webhook, breaker);
    return breaker;
  };

  async function sendTo(webhook: number): Promise<void> {
    const breaker = breakerOf(webhook);
    if (breaker.isOpen()) return;
    const due = await dueMessages(records.db, webhook, clock());
    await workThrough(due, AT_ONCE, async (id) => {
      if (closing.signal.aborted || breaker.isOpen()) return false;
      const message = await markedStep("claim.webhook", () => claimMessage(records.db, id, clock()));
      if (message) await sendMessage(message, breaker);
      return true;
    });
  }

  async function sendMessage(message: ClaimedMessage, breaker: CircuitBreaker): Promise<void> {
    const { id, tries, event, challenge, url, created_at } = message;
    const settle = (end: Parameters<typeof settleMessage>[2], problem: string | null) =>
      settleMessage(records.db, { id, tries }, end, clock(), problem);
    try {
      await breaker.call(async () => post(message));
      await settle({ outcome: "delivered" }, null);
    } catch (error) {
      if (closing.signal.aborted || !(error instanceof NotTaken)) {
        await settle({ released: true }, null);
        if (!closing.signal.aborted) throw error;
        return;
      }
      const now = clock().getTime();
      const isLast = error.status === GONE || now - Date.parse(created_at) >= times.giveUpMs;
      await settle(
        isLast ? { outcome: "given_up" } : { next_try_at: retryAt(now, tries, times.pauses) },
        error.message,
      );
      // Without the path, which may be a secret.
      const fields = {
        challenge,
        webhook: new URL(url).host,
        about: event,
        tries: tries + 1,
        reason: error.message,
      };
      if (isLast) log.error({ event: "webhook_given_up", ...fields }, "webhook message given up");
      else log.warn({ event: "webhook_failed", ...fields }, "webhook message failed, retrying later");
    }
  }

  async function post(message: ClaimedMessage): Promise<void> {
    const { challenge, url } = message;
    const installation = await readSecret(records.db, "webhook_secret");
    const title = catalog.all().get(challenge)?.config.title ?? challenge;
    const body = await messageBody(records.db, message, { title, baseUrl: baseUrl() });
    const id = messageId(installation, message);
    const timestamp = Math.floor(clock().getTime() / 1000);
    const headers = {
      "content-type": "application/json",
      "user-agent": `crowdai-broker/${VERSION}`,
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signatureOf(webhookSecret(installation, message), id, timestamp, body),
    };
    await markedStep("send.webhook", () =>
      postMessage(url, headers, body, {
        ...{ hosts, resolve, timeoutMs: times.timeoutMs, signal: closing.signal },
      }),
    );
  }

  return {
    async send() {
      for (const { id } of await dueWebhooks(records.db, clock())) {
        if (running.has(id)) continue;
        const work = sendTo(id)
          .catch((error) =>
            log.error({ event: "webhook_pass_failed", err: error }, "sending webhooks failed"),
          )
          .finally(() => running.delete(id));
        running.set(id, work);
      }
    },
    tidy: () => removeOldMessages(records.db, new Date(clock().getTime() - times.keepMs)),
    async close() {
      closing.abort();
      await Promise.all(running.values());
    },
  };
}

const GONE = 410;

/** A 4xx is about one message; no answer, and any other status, is about the webhook. */
const isOutage = (error: unknown) =>
  error instanceof NotTaken && (error.status === null || error.status === 429 || error.status >= 500);
