import { createSubmissionId, type IntentRequest } from "@crowdai/shared";
import { io, type Socket } from "socket.io-client";

/** Connects to the challenge `echo` of a playground, and resolves when its session has begun. */
export function connectSocket(url: string, apiKey: string): Promise<Socket> {
  const socket = io(url, { transports: ["websocket"], auth: { apiKey, challenge: "echo", client: "bench" } });
  return new Promise((resolve, reject) => {
    socket.once("session", () => resolve(socket));
    socket.once("connect_error", reject);
  });
}

/** Submits a number. Resolves to the milliseconds until the acknowledgement. */
export async function submitValue(socket: Socket, value: number): Promise<number> {
  const sent = performance.now();
  const intent: IntentRequest = {
    id: createSubmissionId(),
    challenge: "echo",
    input: { kind: "inline", data: { value } },
  };
  const answer = await socket.emitWithAck("submit", intent);
  if (!answer.ok) throw new Error(answer.error.message);
  return performance.now() - sent;
}
