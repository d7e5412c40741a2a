import { CrowdaiError, catalog } from "@crowdai/shared";
import { type Context, Hono } from "hono";
import {
  createInstance,
  type InstanceIds,
  type InstanceNeeds,
  openInstances,
} from "../../domain/sessions/gym-instances.ts";
import { cancelSubmission } from "../../domain/submissions/cancel-submission.ts";
import { submissionWithId } from "../../domain/submissions/find-submission.ts";
import { identifyParticipant } from "../../domain/webapp/webapp.ts";
import { bodyLimit } from "../requests/body-limit.ts";
import { loggedRequestError } from "../requests/error-response.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { redactedPath } from "../requests/redacted-path.ts";
import { SECURITY_HEADERS } from "../requests/security-headers.ts";
import {
  fieldOf,
  gymKeyOf,
  gymTextField,
  MAX_GYM_BYTES,
  numberField,
  readBody,
  requiredField,
} from "./gym-body.ts";
import { createGymSessions, type GymSession } from "./gym-session.ts";
import { contains, sampleOf } from "./space-values.ts";

/** How long closing waits for a session that may be finished. */
const CLOSE_MS = 5000;

type Work = (c: Context, session: GymSession, rest: string) => Promise<Response>;

/**
 * Serves environments in the form of gym-http-api, to agents that were written for it and for the OpenSim
 * challenge of 2017. Such clients drop a path in the broker's address. They show the `message` of an error,
 * and follow no redirect.
 */
export function gymRoutes(options: {
  context: () => InstanceNeeds & HttpNeeds<"agents">;
  ids: InstanceIds;
  nextEvent: (submission: string, signal: AbortSignal) => Promise<void>;
}): Hono {
  const { context, ids } = options;
  const open = createGymSessions(options);
  const app = new Hono();
  app.onError((thrown, c) => refusal(c, thrown));
  app.use(
    bodyLimit({
      maxSize: MAX_GYM_BYTES,
      onError: (c) =>
        refusal(
          c,
          new CrowdaiError("message_too_large", `A request body may have at most ${MAX_GYM_BYTES} bytes.`),
        ),
    }),
  );
  app.all("/v1", (c) => answer(c));
  app.all("/v1/*", (c) => answer(c));

  async function answer(c: Context): Promise<Response> {
    const [, first, instance, ...rest] = new URL(c.req.url).pathname.split("/").filter((part) => part !== "");
    const { method } = c.req;
    if (first === "upload" && method === "POST") return nothing();
    if (first !== "envs") throw unknownRoute(c);
    if (instance === undefined) {
      if (method === "GET") return list(c);
      if (method === "POST") return create(c);
      throw unknownRoute(c);
    }
    const [name, argument] = routeOf(rest);
    const work = works[`${method} ${name}`];
    if (!work) throw unknownRoute(c);
    return work(c, await open(c, instance), argument);
  }

  async function create(c: Context): Promise<Response> {
    const body = await readBody(c);
    requiredField(body, "env_id");
    const token = gymKeyOf(c, body) ?? (requiredField(body, "token") as undefined);
    const submission = await createInstance(context(), context().agents, {
      env_id: gymTextField(body, "env_id") as string,
      token,
      submission: gymTextField(body, "submission"),
      round: gymTextField(body, "round"),
      message: gymTextField(body, "message"),
    });
    return json({ instance_id: ids.of(submission), submission });
  }

  async function list(c: Context): Promise<Response> {
    const key = gymKeyOf(c, null);
    if (key === undefined) return json({ all_envs: {} });
    const caller = await identifyParticipant(context().webapp, key);
    const all = await openInstances(context().records.db, caller);
    return json({ all_envs: Object.fromEntries([...all].map(([id, name]) => [ids.of(id), name])) });
  }

  const works: Readonly<Record<string, Work>> = {
    "POST monitor/start": async () => nothing(),

    async "POST reset"(c, { ask }) {
      const episode = numberField(await readBody(c), "episode");
      const reply = await ask({ type: "reset", ...(episode && { episode }) });
      if (reply.type !== "observation") return json({ observation: null });
      return json({ observation: reply.observation, info: reply.info, episode: reply.episode });
    },

    async "POST step"(c, { ask }) {
      const body = await readBody(c);
      const action = requiredField(body, "action");
      const [episode, n] = [numberField(body, "episode"), numberField(body, "n")];
      const reply = await ask({ type: "step", ...(episode && { episode }), ...(n && { n }), action });
      if (reply.type !== "step") throw new CrowdaiError("usage", "The session has ended.");
      const { observation, reward, terminated, truncated, info } = reply;
      const now = { episode: reply.episode, n: reply.n };
      return json({
        observation,
        reward,
        done: terminated || truncated,
        info,
        terminated,
        truncated,
        ...now,
      });
    },

    /**
     * Submits, though episodes are left: plain agents play one and leave. They take an error for a crash, so
     * that the verdict comes without a reward. Ours sends `early: false`, and is refused.
     */
    async "POST monitor/close"(c, { ask, ended }) {
      const early = fieldOf(await readBody(c), "early") !== false;
      await ask({ type: "submit", early }).catch((error) => {
        if (!isPlayVerdict(error)) throw error;
      });
      const { score, error_code, error_message } = await ended();
      if (!error_code) return json({ reward: score });
      const error = new CrowdaiError(error_code, error_message ?? undefined);
      if (!isPlayVerdict(error)) throw error;
      return json({ reward: null, code: error.code, message: error.message });
    },

    /** An agent that has played every episode may close without a monitor. Any other gives up. */
    async "POST close"(_, session) {
      if (!(await isSubmitted(session)))
        await cancelSubmission(context(), session.owner, session.id).catch((error) => {
          if (!(error instanceof CrowdaiError) || error.code !== "already_final") throw error;
        });
      return nothing();
    },

    "GET action_space": async (_, { hello }) => json({ info: (await hello()).spaces.action }),
    "GET action_space/sample": async (_, { hello }) =>
      json({ action: sampleOf((await hello()).spaces.action) }),
    "GET action_space/contains": async (_, { hello }, value) =>
      json({ member: contains((await hello()).spaces.action, valueInPath(value)) }),
    "GET observation_space": async (_, { hello }) => json({ info: (await hello()).spaces.observation }),

    /** Clients of gym-http-api send properties of the space here, of which all must agree. */
    async "POST observation_space/contains"(c, { hello }) {
      const [{ spaces }, body] = [await hello(), await readBody(c)];
      const properties = new Map(Object.entries(spaces.observation));
      const sent =
        typeof body === "object" && body !== null && !Array.isArray(body) ? Object.entries(body) : [];
      const areProperties = sent.length > 0 && sent.every(([name]) => properties.has(name));
      const member = areProperties
        ? sent.every(([name, value]) => JSON.stringify(properties.get(name)) === JSON.stringify(value))
        : contains(spaces.observation, body);
      return json({ member });
    },
  };

  async function isSubmitted({ id, owner }: GymSession): Promise<boolean> {
    const row = await submissionWithId(context().records.db, { id });
    // Without a grader, there is nothing to submit.
    if (row?.state !== "grading") return false;
    const answer = await context().agents.ask(owner, id, { type: "submit" }, CLOSE_MS);
    return answer?.type === "end";
  }

  function refusal(c: Context, thrown: unknown): Response {
    const error = loggedRequestError(c, thrown, context().log);
    const { message, next } = error.toBody();
    // These clients have no options.
    const isGeneral = error.code === "usage" && next === catalog.usage.next;
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
    return c.json({ message: isGeneral ? message : `${message} ${next}` }, 400);
  }

  return app;
}

const HEADERS = { ...SECURITY_HEADERS, "content-type": "application/json" };

// With headers that are a plain object, an answer becomes what Node.js writes without detours.
function json(body: unknown): Response {
  const text = JSON.stringify(body);
  return new Response(text, { headers: { ...HEADERS, "content-length": String(Buffer.byteLength(text)) } });
}
const nothing = () => new Response(null, { status: 204, headers: SECURITY_HEADERS });

/** Whether a session was ended because its agent did not play it. */
const isPlayVerdict = (error: unknown): error is CrowdaiError =>
  error instanceof CrowdaiError && error.code === "agent_protocol";

/** Returns the name of a route below an instance, and what follows it. */
function routeOf(parts: readonly string[]): [name: string, argument: string] {
  const [first = "", second, ...rest] = parts;
  const name = second === undefined ? first : `${first}/${second}`;
  return name === "action_space/contains" ? [name, rest.join("/")] : [[name, ...rest].join("/"), ""];
}

/** Returns the value that a path contains: a number, any other JSON, or a text. */
function valueInPath(part: string): unknown {
  try {
    const text = decodeURIComponent(part);
    return JSON.parse(text);
  } catch {
    return part;
  }
}

const unknownRoute = (c: Context) =>
  new CrowdaiError("not_found", `There is no ${c.req.method} ${redactedPath(c.req.path)} at this broker.`);
