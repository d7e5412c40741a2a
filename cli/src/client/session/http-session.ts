import {
  CrowdaiError,
  challengeSchema,
  limitsSchema,
  receiptSchema,
  type Session,
  sessionAnswerSchema,
  submissionSchema,
  watchedSchema,
} from "@crowdai/shared";
import { z } from "zod";
import { pause } from "../../async/abort.ts";
import { backoff } from "../../async/retry.ts";
import { readAccount } from "../http/account.ts";
import { submissionsSchema } from "../http/broker-queries.ts";
import type { HttpClient } from "../http/http-client.ts";
import { acceptCancelled } from "./already-cancelled.ts";
import type { BrokerSession, SessionOptions } from "./broker-session.ts";
import { createFeed, type Feed } from "./feed.ts";
import { createOutage } from "./outage.ts";

const WAIT_SECONDS = 20;
const API = "/api/v1";
const serviceSchema = z.object({ version: z.string(), instance: z.string() });

/** Opens a session over plain requests, for networks that block sockets. Events arrive by long polling. */
export async function openHttpSession(http: HttpClient, options: SessionOptions): Promise<BrokerSession> {
  const opening = await readOpening(http, options.challenge);
  const closed = new AbortController();
  const outage = createOutage(options.onConnection);

  /** Repeats a request while the broker is unreachable. Throws broker_lost after `lostAfterMs`. */
  async function untilReachable<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const began = Date.now();
    for (let fails = 0; ; fails++) {
      try {
        const answer = await work();
        outage.back();
        return answer;
      } catch (failure) {
        if (!isOutage(failure)) throw failure;
        if (Date.now() - began > (options.lostAfterMs ?? 60_000))
          throw new CrowdaiError("broker_lost", undefined, { cause: failure });
        outage.lost();
        await pause(backoff(fails), signal);
      }
    }
  }

  const within = (signal?: AbortSignal) =>
    AbortSignal.any([signal, options.signal, closed.signal].filter((s) => s !== undefined));
  const at = (id: string, verb = "") => `${API}/submissions/${encodeURIComponent(id)}${verb}`;

  /** Requests events until the last one. Fails with broker_lost after `lostAfterMs` without an answer. */
  async function poll(feed: Feed, signal: AbortSignal): Promise<void> {
    let more = true;
    while (!feed.ended) {
      const query = { after: feed.seen, wait: more ? 0 : WAIT_SECONDS };
      const read = () => http.get(at(feed.submission, "/events"), watchedSchema, query, signal);
      more = feed.caughtUp(await untilReachable(read, signal));
    }
  }

  return {
    opening,
    transport: "http",
    submit: (intent, { signal } = {}) =>
      http.post(`${API}/submissions`, intent, receiptSchema, { repeatable: true, signal: within(signal) }),
    complete: (id, signal) =>
      http.post(at(id, "/complete"), {}, receiptSchema, { repeatable: true, signal: within(signal) }),
    call: async (call, signal) =>
      (await http.post(`${API}/calls`, call, submissionsSchema, { repeatable: true, signal: within(signal) }))
        .submissions,
    createEnvironment: async (request, signal) =>
      (
        await http.post(`${API}/sessions`, request, receiptSchema, {
          repeatable: true,
          signal: within(signal),
        })
      ).submission,
    askEnvironment: (id, { type, ...request }, { signal } = {}) =>
      untilReachable(
        () =>
          http.post(`${API}/sessions/${encodeURIComponent(id)}/${type}`, request, sessionAnswerSchema, {
            repeatable: true,
            signal: within(signal),
          }),
        within(signal),
      ),
    async cancel(id, signal) {
      try {
        return await http.post(at(id, "/cancel"), {}, submissionSchema, {
          repeatable: true,
          signal: within(signal),
        });
      } catch (failure) {
        return acceptCancelled(failure, () => http.get(at(id), submissionSchema));
      }
    },
    watch(id, { after = 0, signal } = {}) {
      const stopped = new AbortController();
      const feed = createFeed(id, after, () => stopped.abort());
      feed.stopOn(within(signal));
      if (!feed.ended) poll(feed, stopped.signal).catch((failure) => feed.stop(failure));
      return feed;
    },
    close() {
      outage.end();
      closed.abort(new CrowdaiError("interrupted", "The session was closed."));
    },
  };
}

/**
 * Whether a later request may reach the broker. It was reached before, so that another server in its place is
 * one in between: a network that wants a person to sign in, for example.
 */
function isOutage(failure: unknown): boolean {
  if (!(failure instanceof CrowdaiError)) return false;
  const { code, details } = failure;
  if (code === "proxy_refused") return details?.status !== 413;
  return code === "broker_unreachable" || code === "not_a_broker";
}

async function readOpening(http: HttpClient, challenge: string | undefined): Promise<Session> {
  const path = challenge === undefined ? "" : `${API}/challenges/${encodeURIComponent(challenge)}`;
  const [broker, me, described, limits] = await Promise.all([
    http.get(API, serviceSchema),
    readAccount(http),
    path ? http.get(path, challengeSchema) : null,
    path ? http.get(`${path}/limits`, limitsSchema) : null,
  ]);
  return { ...me, challenge: described, limits, broker };
}
