import { type AgentAnswer, type AgentRequest, CrowdaiError, type Hello, isFinal } from "@crowdai/shared";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { type InstanceIds, ownerOf } from "../../domain/sessions/gym-instances.ts";
import { submissionUnknown, submissionWithId } from "../../domain/submissions/find-submission.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { HttpNeeds } from "../requests/http-services.ts";

/** How long a key is known to be valid without another look. */
const FRESH_MS = 1000;
const MAX_KNOWN = 10_000;

type SessionNeeds = HttpNeeds<"records" | "webapp" | "agents">;

/** A session, as requests with its instance id see it. */
export interface GymSession {
  /** The submission's id. */
  id: string;
  owner: Caller;
  /**
   * Resolves with the session's answer, however long that takes. Throws what the session answers as an error.
   */
  ask(request: AgentRequest): Promise<Exclude<AgentAnswer, { type: "error" }>>;
  hello(): Promise<Hello>;
  /** Resolves with the submission once it has ended. */
  ended(): Promise<SubmissionRow>;
}

/** Opens sessions by their instance ids. */
export function createGymSessions(options: {
  context: () => SessionNeeds;
  ids: InstanceIds;
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
}): (c: Context, instance: string) => Promise<GymSession> {
  const { context, ids, nextEvent } = options;
  const owners = new Map<string, { owner: Caller; at: number }>();

  async function ownerNow(id: string): Promise<Caller | null> {
    const known = owners.get(id);
    if (known && performance.now() - known.at < FRESH_MS) return known.owner;
    owners.delete(id);
    const owner = await ownerOf(context(), id);
    if (!owner) return null;
    if (owners.size >= MAX_KNOWN) owners.clear();
    owners.set(id, { owner, at: performance.now() });
    return owner;
  }

  async function requireOwner(id: string, instance: string): Promise<Caller> {
    const owner = await ownerNow(id);
    if (owner) return owner;
    throw unknownInstance(instance);
  }

  return async (c, instance) => {
    const id = ids.read(instance);
    if (id === null) throw unknownInstance(instance);
    const owner = await requireOwner(id, instance);

    async function ask(request: AgentRequest) {
      let gone: AbortSignal | undefined;
      for (;;) {
        const answer = await context().agents.ask(owner, id as string, request, FRESH_MS, gone);
        if (answer?.type === "error") throw new CrowdaiError("usage", answer.message);
        if (answer) return answer;
        if (gone?.aborted) throw new CrowdaiError("interrupted");
        gone = keepWaiting(c);
        await requireOwner(id as string, instance);
      }
    }

    return {
      id,
      owner,
      ask,
      async hello() {
        const answer = await ask({ type: "hello" });
        if (answer.type === "hello") return answer;
        throw new CrowdaiError("usage", "The session has ended.");
      },
      async ended() {
        for (;;) {
          const changed = nextEvent(id, AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(FRESH_MS)]));
          const row = await submissionWithId(context().records.db, { id });
          if (!row) throw submissionUnknown(id);
          if (isFinal(row.state)) return row;
          await changed;
          if (keepWaiting(c).aborted) throw new CrowdaiError("interrupted");
          await requireOwner(id, instance);
        }
      },
    };
  };
}

/**
 * Lets a connection wait for longer than one on which nothing moves may. The signal is aborted when the
 * client leaves.
 */
function keepWaiting(c: Context): AbortSignal {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  // Node.js sets the time limit again with the next request.
  incoming?.socket?.setTimeout?.(0);
  return c.req.raw.signal;
}

const unknownInstance = (instance: string) =>
  new CrowdaiError("usage", `Instance_id ${JSON.stringify(instance.slice(0, 100))} unknown or expired.`, {
    next: "Create the environment again.",
  });
