import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Records } from "../../../broker/src/records/records.ts";
import type { PlainGit } from "../../../broker/test/code/plain-git.ts";
import type { CiIssuer } from "../../../test/ci-issuer.ts";
import { root } from "../../lib/root.ts";
import type { History } from "../clients.ts";
import type { Fleet } from "../fleet.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { WebhookReceiver } from "./webhook-receiver.ts";

/** The fleet and the services around it that the work of a stop uses. */
export interface World {
  readonly fleet: Fleet;
  /** A proxy before the broker: its address stays while the broker is started again. */
  readonly url: string;
  readonly folder: string;
  readonly challenges: string;
  readonly runtime: string;
  readonly seed: number;
  readonly random: SeededRandom;
  /** API keys of participants 1 to 4. */
  readonly keys: readonly string[];
  /** Opened beside the broker's. */
  readonly records: Records;
  readonly git: PlainGit;
  readonly issuer: CiIssuer;
  readonly webhooks: WebhookReceiver;
  /** The submissions whose clients a checker asks. */
  readonly histories: History[];
  readonly signal: AbortSignal;
}

/** One stop: the number of it in the run, and where the process ends. */
export interface Stop {
  n: number;
  step: string;
  /** Whether the process ends after the step; otherwise before it. */
  isAfter: boolean;
}

/** Work that needs a step. */
export interface Scenario {
  steps: readonly string[];
  /** A command does the step, so no server ends. */
  byCommand?: true;
  /** It cannot be stopped a second time: nothing else is stopped until it has ended. */
  once?: true;
  /** Does it, trying again as long as no answer comes. Rejects when what must come of it does not. */
  run(world: World, stop: Stop): Promise<unknown>;
}

const RETRY_MS = 100;
/** The time between two looks grows: what waits for many seconds must not cost the others theirs. */
const [POLL_MS, MAX_POLL_MS] = [50, 400];

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: of many routes
  body: any;
}

/** Sends a request until the broker has answered it. Throws for a status that is not among `accepted`. */
export async function request(
  world: Pick<World, "url" | "signal">,
  method: string,
  path: string,
  options: {
    key?: string | null;
    token?: string;
    body?: unknown;
    bytes?: Uint8Array;
    accepted?: readonly number[];
  } = {},
): Promise<Answer> {
  const { key = null, token, body, bytes, accepted = [200] } = options;
  const headers = {
    ...(key && { authorization: `Bearer ${key}` }),
    ...(token && { authorization: `Token token=${token}` }),
    "content-type": bytes ? "application/octet-stream" : "application/json",
  };
  for (;;) {
    world.signal.throwIfAborted();
    const answer = await fetch(path.startsWith("http") ? path : world.url + path, {
      method,
      headers,
      ...(bytes
        ? { body: Uint8Array.from(bytes) }
        : body === undefined
          ? {}
          : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([world.signal, AbortSignal.timeout(30_000)]),
    })
      .then(async (response) => ({ status: response.status, body: readJson(await response.text()) }))
      .catch(() => ({ status: 503, body: null }));
    if (accepted.includes(answer.status)) return answer;
    if (answer.status < 500 && answer.status !== 429)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await sleep(RETRY_MS, undefined, { signal: world.signal });
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Resolves with the first value that is not empty. */
export async function until<T>(
  world: Pick<World, "signal">,
  look: () => Promise<T | null | undefined | false>,
): Promise<T> {
  for (let wait = POLL_MS; ; wait = Math.min(wait * 1.3, MAX_POLL_MS)) {
    world.signal.throwIfAborted();
    const found = await look();
    if (found) return found;
    await sleep(wait, undefined, { signal: world.signal });
  }
}

/** Resolves once the broker has read the folder of a challenge that was written while it ran. */
export const untilOffered = (world: World, challenge: string) =>
  until(world, async () => {
    const options = { accepted: [200, 404] };
    return (await request(world, "GET", `/api/v1/challenges/${challenge}`, options)).status === 200;
  });

/** Submits a value; resolves with the receipt. */
export const submitValue = (
  world: World,
  key: string,
  intent: { id: string; challenge: string; data: unknown } & Record<string, unknown>,
  accepted?: readonly number[],
): Promise<Answer> => {
  const { data, ...rest } = intent;
  return request(world, "POST", "/api/v1/submissions", {
    key,
    body: { input: { kind: "inline", data }, ...rest },
    ...(accepted ? { accepted } : {}),
  });
};

/** Resolves with a submission once `isReady` says so. Throws when it has failed instead. */
export const submissionThat = (
  world: World,
  key: string,
  id: string,
  // biome-ignore lint/suspicious/noExplicitAny: of the interface
  isReady: (submission: any) => unknown,
) =>
  until(world, async () => {
    const { body } = await request(world, "GET", `/api/v1/submissions/${id}`, { key });
    if (body.state === "failed") throw new Error(`${id} failed: ${JSON.stringify(body.error)}`);
    return isReady(body) && body;
  });

export interface Ran {
  /** Null when it was ended by a signal. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command of the broker, on the fleet's data unless `data` names another folder. */
export function command(world: World, args: readonly string[], data = world.fleet.data): Promise<Ran> {
  const argv = [join(root, "broker/dist/bin.js"), ...args, "--data", data];
  return new Promise((resolve) => {
    execFile(
      world.runtime,
      argv,
      { cwd: world.folder, env: world.fleet.env, signal: world.signal },
      (error, stdout, stderr) =>
        resolve({ code: error ? (typeof error.code === "number" ? error.code : null) : 0, stdout, stderr }),
    );
  });
}
