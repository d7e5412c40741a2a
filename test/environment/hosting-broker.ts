import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Receipt, SessionAnswer, Submission } from "@crowdai/shared";
import { createSubmissionId, isFinal } from "@crowdai/shared";
import { io, type Socket } from "socket.io-client";
import { until } from "../../broker/test/support/until.ts";
import { type BrokerOptions, type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { type Hosted, writeCountingChallenge } from "./counting-environment.ts";

/** A built broker whose challenges have the environment that counts its steps. */
export interface HostingBroker {
  readonly broker: RunningBroker;
  readonly url: string;
  readonly folder: string;
  readonly data: string;
  /** Starts it again, after it was killed. */
  restart(): Promise<void>;
  /** Registers a participant; resolves with the key. */
  join(): Promise<string>;
  view(id: string, key: string): Promise<Submission>;
  /** Resolves with a submission once it has ended. */
  ended(id: string, key: string): Promise<Submission>;
  request(key: string | null, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Opens a connection to the broker, or to a proxy before it. */
  connect(key: string, challenge: string, url?: string): Promise<Connection>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: of another test each
  body: any;
}

export interface Connection {
  socket: Socket;
  ask<T = SessionAnswer>(event: string, message: unknown): Promise<T>;
  create(challenge: string, id?: string): Promise<string>;
}

export async function hostEnvironments(
  challenges: (folder: string) => Record<string, Hosted>,
  options: Partial<BrokerOptions> = {},
): Promise<HostingBroker> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-environment-"));
  const places = { data: join(folder, "data"), challenges: join(folder, "challenges") };
  await mkdir(places.data);
  for (const [id, hosted] of Object.entries(challenges(folder)))
    await writeCountingChallenge(places.challenges, id, hosted);
  const start = (port = 0) => startBroker({ ...places, concurrency: 16, port, ...options });
  let broker = await start();
  const sockets = new Set<Socket>();
  let people = 0;

  async function request(key: string | null, method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(`${broker.url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
  }
  const view = async (id: string, key: string) =>
    (await request(key, "GET", `/api/v1/submissions/${id}`)).body as Submission;

  return {
    get broker() {
      return broker;
    },
    get url() {
      return broker.url;
    },
    folder,
    data: places.data,
    async restart() {
      broker = await start(Number(new URL(broker.url).port));
    },
    join: () => broker.addParticipant(`participant ${++people}`),
    view,
    ended: (id, key) =>
      until(async () => {
        const submission = await view(id, key);
        return isFinal(submission.state) && submission;
      }),
    request,
    async connect(apiKey, challenge, url = broker.url) {
      const socket = io(url, { transports: ["websocket"], auth: { apiKey, challenge, client: "test" } });
      sockets.add(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once("session", () => resolve());
        socket.once("connect_error", reject);
      });
      const ask = async <T>(event: string, message: unknown): Promise<T> => {
        const answer = await socket.timeout(30_000).emitWithAck(event, message);
        if (!answer.ok) throw answer.error;
        return answer.value;
      };
      return {
        socket,
        ask,
        create: async (of, id = createSubmissionId()) =>
          (await ask<Receipt>("environment:create", { id, challenge: of })).submission.id,
      };
    },
    async close() {
      for (const socket of sockets) socket.disconnect();
      await broker.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A session over /v1/envs, as clients of gym-http-api have it: without a key after its creation. */
export async function openOverHttp(hosting: HostingBroker, key: string, challenge: string) {
  const created = await hosting.request(null, "POST", "/v1/envs/", { env_id: challenge, token: key });
  if (created.status !== 200) throw new Error(created.body.message);
  const { instance_id: instance, submission: id } = created.body as {
    instance_id: string;
    submission: string;
  };
  const post = (path: string, body: unknown = null) =>
    hosting.request(null, "POST", `/v1/envs/${instance}/${path}/`, body);
  return {
    id,
    instance,
    post,
    reset: () => post("reset"),
    step: (action: unknown = [1, 0]) => post("step", { action, render: false }),
    ended: () => hosting.ended(id, key),
  };
}
