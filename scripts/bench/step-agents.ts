import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { createSubmissionId, type SessionAnswer } from "@crowdai/shared";
import { io, type Socket } from "socket.io-client";

/** As many numbers as an action and an observation of the OpenSim challenge of 2017 have. */
export const ACTION = Array.from({ length: 18 }, (_, i) => i / 19);
export const OBSERVATION = Array.from({ length: 41 }, (_, i) => i / 7);

/** An agent in an episode, or what stands beside it. */
export interface StepAgent {
  step(): Promise<unknown>;
  close(): void;
}

export interface Opponent {
  url: string;
  apiKey: string;
  challenge: string;
}

export async function openSocket(url: string, auth: Record<string, string> = {}): Promise<Socket> {
  const socket = io(url, { transports: ["websocket"], forceNew: true, auth });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
  return socket;
}

/** Opens a session over a socket, and waits for its first observation. */
export async function openSession(socket: Socket, challenge: string): Promise<StepAgent> {
  const id = createSubmissionId();
  const ask = async (event: string, message: object): Promise<SessionAnswer> => {
    const { ok, value, error } = await socket.emitWithAck(event, { id, ...message });
    if (!ok || value.type === "error") throw new Error(`${event}: ${JSON.stringify(error ?? value)}`);
    return value;
  };
  await ask("environment:create", { challenge });
  while ((await ask("environment:reset", { episode: 1 })).type === "waiting") {}
  let n = 0;
  return {
    step: () => ask("environment:step", { episode: 1, n: ++n, action: ACTION }),
    close: () => socket.close(),
  };
}

/** Opens a session in the form of gym-http-api, on one connection. */
export async function openHttpSession({ url, apiKey, challenge }: Opponent): Promise<StepAgent> {
  const { post, close } = openHttp(url);
  const { instance_id } = await post("/v1/envs/", { env_id: challenge, token: apiKey });
  await post(`/v1/envs/${instance_id}/reset/`, null);
  return { step: () => post(`/v1/envs/${instance_id}/step/`, { action: ACTION, render: false }), close };
}

export function openHttp(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    // biome-ignore lint/suspicious/noExplicitAny: answers of several routes.
    async post(path: string, body: unknown): Promise<any> {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const headers = { "content-type": "application/json" };
      const sent = request(new URL(path, url), { method: "POST", agent, headers }, (response) => {
        text(response).then(
          (answer) =>
            response.statusCode === 200 ? resolve(answer) : reject(new Error(`${path}: ${answer}`)),
          reject,
        );
      });
      sent.on("error", reject);
      sent.end(JSON.stringify(body));
      return JSON.parse(await promise);
    },
    close: () => agent.destroy(),
  };
}
