import { CrowdaiError, isApiKey } from "@crowdai/shared";
import { iso } from "../../../base/clock.ts";
import { type Caller, identify, identifyHash, noCaller } from "../../../domain/participants/api-keys.ts";
import type { Opening, Webapp } from "../../../domain/webapp/webapp.ts";
import { createCircuitBreaker } from "../../outbox/circuit-breaker.ts";
import { createOutbox, type OutboxNeeds } from "./outbox.ts";
import { noteSubmission } from "./outbox-rows.ts";
import { renameParticipant } from "./remote-participants.ts";
import { openKey, sealKey } from "./sealed-key.ts";
import { type KeyTimes, verifiedKeys } from "./verified-keys.ts";
import { createWebappClient, WebappRefusal, WebappUnreachable } from "./webapp-client.ts";
import { openForm } from "./webapp-forms.ts";

const SECOND = 1000;

export interface WebappTimes extends KeyTimes {
  /** How long a waiting client waits for the webapp. */
  promptTimeoutMs: number;
  /** Limit of one call of the outbox. */
  callMs: number;
  /** Pause before the first retry; it doubles each time. */
  firstPauseMs: number;
  /**
   * How long clients do not wait for the webapp after it failed to answer; up to twelve times as long when it
   * keeps failing.
   */
  awayMs: number;
}

export const WEBAPP_TIMES: WebappTimes = {
  freshMs: 30 * SECOND,
  staleMs: 15 * 60 * SECOND,
  unknownMs: 10 * SECOND,
  promptTimeoutMs: 4 * SECOND,
  callMs: 20 * SECOND,
  firstPauseMs: SECOND,
  awayMs: 5 * SECOND,
};

/**
 * A crowdAI webapp elsewhere, over its REST API. Organizers of this broker keep the keys that they have here.
 */
export function remoteWebapp(options: {
  url: string;
  token: string;
  context: () => OutboxNeeds;
  times?: WebappTimes | undefined;
}): Webapp {
  const { url, token, context, times = WEBAPP_TIMES } = options;
  const records = () => context().records;
  const closing = new AbortController();
  const connection = { url, token, signal: closing.signal };
  const patient = createWebappClient({ ...connection, timeoutMs: times.callMs });
  const prompt = createWebappClient({ ...connection, timeoutMs: times.promptTimeoutMs });
  const breaker = createCircuitBreaker(times.awayMs, isSilent);
  const outbox = createOutbox({
    context,
    calls: patient,
    token,
    firstPauseMs: times.firstPauseMs,
    answered: breaker.answered,
  });
  const opening = new Map<string, Promise<void>>();
  const keys = verifiedKeys({ records, calls: prompt, breaker, times });

  async function open(asked: Opening, allowed: () => Promise<void>): Promise<void> {
    await allowed();
    const key = keyOf(asked.caller);
    const now = context().clock().getTime();
    const isNew = await noteSubmission(
      records().db,
      {
        submission: asked.id,
        participant_id: asked.caller.id,
        challenge: asked.challenge,
        sealed_key: sealKey(token, key),
        // The outbox leaves it alone until this attempt has ended.
        next_try_at: iso(now + 3 * times.promptTimeoutMs),
      },
      now,
    );
    // Asked before, here or at another broker: the outbox handles whatever came of it.
    if (!isNew) return;
    try {
      await breaker.call(() => openNow(asked, key));
    } catch (error) {
      if (error instanceof WebappRefusal) {
        await forget(asked.id);
        throw new CrowdaiError("webapp_refused", error.message);
      }
      if (!(error instanceof WebappUnreachable)) throw error;
      context().log.warn(
        { event: "webapp_open_deferred", submission: asked.id, reason: error.message },
        "opening at the webapp deferred",
      );
    }
    await records()
      .db.updateTable("webapp_submissions")
      .set({ next_try_at: null })
      .where("submission", "=", asked.id)
      .execute();
  }

  async function openNow({ id, challenge, message, caller }: Opening, key: string): Promise<void> {
    const made = await prompt.create(openForm({ id, challenge, message }, key));
    await outbox.opened(id, made.number);
    if (made.participant !== null && made.participant !== caller.name)
      await renameParticipant(records(), caller.id, made.participant);
    // The webapp accepts a late submission and marks it as failed: its participant learns of it now, not
    // after the upload.
    const failure = await prompt.failureOf(made.number).catch(() => null);
    if (failure !== null) throw new WebappRefusal(failure);
  }

  async function forget(id: string): Promise<void> {
    await records().db.deleteFrom("webapp_submissions").where("submission", "=", id).execute();
  }

  return {
    name: new URL(url).host,
    issuesKeys: false,
    async identify(key) {
      return (await organizerOf(key)) ?? keys.identify(key);
    },
    remember: (caller) => (caller.kind === "organizer" ? caller.keyHash : sealKey(token, keyOf(caller))),
    async recall(remembered) {
      const key = openKey(token, remembered);
      return key === null
        ? requireOrganizer(await identifyHash(records().db, remembered))
        : keys.identify(key);
    },
    ended: (inUse) => keys.ended(inUse),
    open(asked, allowed) {
      const running = opening.get(asked.id) ?? open(asked, allowed).finally(() => opening.delete(asked.id));
      opening.set(asked.id, running);
      return running;
    },
    deliver: () => outbox.pass(),
    async close() {
      closing.abort();
    },
  };

  function keyOf(caller: Caller): string {
    const key = keys.keyOf(caller);
    if (key === null) throw new CrowdaiError("webapp_away", "The key must be checked again.");
    return key;
  }

  async function organizerOf(key: string | undefined): Promise<Caller | null> {
    if (!key || !isApiKey(key)) return null;
    const caller = await identify(records().db, key).catch(noCaller);
    return caller?.kind === "organizer" ? caller : null;
  }
}

const isSilent = (error: unknown) => error instanceof WebappUnreachable && error.status === null;

/** Rejects participants' keys that this broker issued before it had a webapp: those keys are the webapp's. */
function requireOrganizer(caller: Caller): Caller {
  if (caller.kind !== "organizer") throw new CrowdaiError("key_unknown");
  return caller;
}
