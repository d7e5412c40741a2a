import {
  CrowdaiError,
  liveEventSchema,
  queuePositionSchema,
  receiptSchema,
  type Session,
  sessionAnswerSchema,
  submissionSchema,
  watchedSchema,
} from "@crowdai/shared";
import type { Socket } from "socket.io-client";
import { z } from "zod";
import { interruption } from "../../async/abort.ts";
import { backoff } from "../../async/retry.ts";
import { after } from "../../async/timer.ts";
import { acceptCancelled } from "./already-cancelled.ts";
import type { BrokerSession, SessionOptions } from "./broker-session.ts";
import { openSocket, readRefusal } from "./open-socket.ts";
import { createOutage } from "./outage.ts";
import { createFeeds } from "./session-feeds.ts";
import { createRequests, isExpired } from "./socket-requests.ts";

/** How often watched submissions are polled, in case a message was lost between two brokers. */
const REFRESH_MS = 20_000;
const MAX_RENEWALS = 5;
const RENEW_AGAIN_MS = 10_000;
/** Before it accepts, the broker may read all bytes again. */
const COMPLETE_MS = 10 * 60_000;
const callAnswerSchema = z.object({ submissions: z.array(submissionSchema) });

/** Opens the session over socket.io. Throws the broker's refusal, or SocketUnavailable. */
export async function openSocketSession(broker: URL, options: SessionOptions): Promise<BrokerSession> {
  const { socket, opening } = await openSocket(broker, options);
  return serve(socket, opening, options);
}

function serve(socket: Socket, opening: Session, options: SessionOptions): BrokerSession {
  const { signal, lostAfterMs = 60_000, answerMs = 20_000 } = options;
  const feeds = createFeeds((feed) =>
    requests.ask("watch", { id: feed.submission, after: feed.seen }, watchedSchema, { answerMs }),
  );
  const versions = { broker: opening.broker.version, client: options.client };
  // A connection without answers is dead, even if it looks open.
  const requests = createRequests(socket, versions, () => socket.io.engine?.close(), {
    renew: options.lease && renew,
    lostAfterMs,
  });
  const outage = createOutage(options.onConnection);
  let ended = false;
  let giveUp: NodeJS.Timeout | undefined;
  let reconnecting: NodeJS.Timeout | undefined;
  let refusals = 0;
  let renewing: NodeJS.Timeout | undefined;

  function renew(): void {
    options.lease?.expired(options.lease.latest());
    socket.io.engine?.close();
  }
  /**
   * After a refusal of an expired key. A new key may be refused for the same reason, or not be had at the
   * moment.
   */
  function renewRefused(refusal: CrowdaiError): void {
    const { lease } = options;
    if (!lease || refusals >= MAX_RENEWALS) {
      end(refusal);
      return;
    }
    lease.expired(lease.latest());
    lease.key().then(reconnect, (error) => {
      if (error instanceof CrowdaiError && error.retryable) reconnect();
      else end(error);
    });
  }
  /** A connection keeps the key that it was opened with: another one is opened before that expires. */
  function renewLater(): void {
    clearTimeout(renewing);
    if (!options.lease) return;
    const left = options.lease.renewAt() - Date.now();
    // The last attempt to get a new key failed where it should have been replaced by now.
    renewing = after(left > 0 ? left : RENEW_AGAIN_MS, () => socket.io.engine?.close());
    renewing?.unref();
  }

  function end(error?: unknown): void {
    if (ended) return;
    ended = true;
    outage.end();
    clearTimeout(giveUp);
    clearTimeout(reconnecting);
    clearTimeout(renewing);
    clearInterval(refreshing);
    signal?.removeEventListener("abort", abort);
    const reason = error ?? new CrowdaiError("interrupted", "The session was closed.");
    requests.fail(reason);
    feeds.stop(reason);
    socket.off();
    socket.disconnect();
  }
  const abort = () => end(interruption(signal!));
  function reconnect(): void {
    clearTimeout(reconnecting);
    reconnecting = setTimeout(() => socket.connect(), 100 + backoff(refusals++));
  }

  function lose(): void {
    requests.broke();
    outage.lost();
    giveUp ??= after(lostAfterMs, () => end(new CrowdaiError("broker_lost")));
  }
  /**
   * To socket.io, an open connection that is refused after all is still connected, and cannot be connected
   * again.
   */
  function closeRefused(): void {
    if (socket.connected && !socket.active) socket.disconnect();
  }
  function disconnected(reason: string): void {
    lose();
    // socket.io does not reconnect by itself after the broker closed the connection, as it does when it
    // stops.
    if (reason === "io server disconnect") reconnect();
  }

  socket.on("event", (message: unknown) => {
    const found = liveEventSchema.safeParse(message);
    if (found.success) feeds.live(found.data);
  });
  socket.on("place", (message: unknown) => {
    const found = queuePositionSchema.safeParse(message);
    if (found.success) feeds.place(found.data);
  });
  socket.on("session", () => {
    clearTimeout(giveUp);
    giveUp = undefined;
    outage.back();
    refusals = 0;
    renewLater();
    requests.opened();
    feeds.catchUp();
  });
  socket.on("disconnect", disconnected);
  socket.on("connect_error", (error) => {
    lose();
    closeRefused();
    const refusal = readRefusal(error);
    if (refusal?.retryable || refusal?.code === "unexpected") reconnect();
    else if (refusal && isExpired(refusal)) renewRefused(refusal);
    else if (refusal) end(refusal);
    else if (!socket.active) reconnect();
  });
  const refreshing = setInterval(feeds.catchUp, REFRESH_MS);
  refreshing.unref();
  // A stopping broker may disconnect right after its first message, before the listeners above were added.
  renewLater();
  closeRefused();
  if (socket.connected) requests.opened();
  else disconnected("io server disconnect");
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });

  return {
    opening,
    transport: "socket",
    async submit(intent, { follow = false, signal: within } = {}) {
      const followed = follow ? feeds.follow([intent.id]) : undefined;
      try {
        const receipt = await requests.ask("submit", intent, receiptSchema, { answerMs, signal: within });
        followed?.acknowledged([receipt.submission]);
        return receipt;
      } catch (failure) {
        followed?.drop();
        throw failure;
      }
    },
    complete: (id, within) =>
      requests.ask("complete", { id }, receiptSchema, { answerMs: COMPLETE_MS, signal: within }),
    async call(call, within) {
      const followed = feeds.follow(call.items.map(({ id }) => id));
      try {
        const asked = { answerMs, signal: within };
        const { submissions } = await requests.ask("call", call, callAnswerSchema, asked);
        followed.acknowledged(submissions);
        return submissions;
      } catch (failure) {
        followed.drop();
        throw failure;
      }
    },
    async createEnvironment(request, within) {
      const followed = feeds.follow([request.id]);
      try {
        const asked = { answerMs, signal: within };
        const { submission } = await requests.ask("environment:create", request, receiptSchema, asked);
        followed.acknowledged([submission]);
        return submission;
      } catch (failure) {
        followed.drop();
        throw failure;
      }
    },
    askEnvironment: (id, { type, ...request }, { answerMs: within = answerMs, signal: stop } = {}) =>
      requests.ask(`environment:${type}`, { id, ...request }, sessionAnswerSchema, {
        answerMs: within,
        signal: stop,
      }),
    async cancel(id, within) {
      try {
        return await requests.ask("cancel", { id }, submissionSchema, { answerMs, signal: within });
      } catch (failure) {
        const watched = { answerMs, signal: within };
        return acceptCancelled(
          failure,
          async () => (await requests.ask("watch", { id, after: 0 }, watchedSchema, watched)).submission,
        );
      }
    },
    watch: (id, { after = 0, signal: within } = {}) => feeds.watch(id, after, within),
    close: () => end(),
  };
}
