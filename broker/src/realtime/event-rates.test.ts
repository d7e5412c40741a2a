import type { Socket } from "socket.io";
import { expect, it } from "vitest";
import { createEventRates } from "./event-rates.ts";
import { createRequestQueues } from "./request-queues.ts";

/** A session as far as the rates use it. */
const fakeSession = () => {
  const session = { connected: true, sent: [] as string[], conn: { transport: {} } };
  return Object.assign(session, {
    emit: (name: string) => session.sent.push(name),
    disconnect: () => {
      session.connected = false;
    },
  }) as unknown as Socket & { sent: string[] };
};

it("sessions of one key share its rate, sessions of another key do not", () => {
  let now = 0;
  const rates = createEventRates(() => now);
  const handled = (socket: Socket, key: string, count: number) =>
    Array.from({ length: count }, () => rates.refusal(socket, key)).filter((error) => error === null).length;
  const sockets = [fakeSession(), fakeSession(), fakeSession()];
  expect(sockets.map((socket) => handled(socket, "a", 3000))).toEqual([3000, 3000, 0]);
  expect(() => rates.admit("a")).toThrow(expect.objectContaining({ code: "too_many_requests" }));
  expect(handled(fakeSession(), "b", 3000)).toBe(3000);
  now += 1000;
  expect(handled(sockets[0]!, "a", 3000)).toBe(1000);
  expect(sockets[2]!.connected).toBe(false);
});

it("a session is ended after a hundred refusals, and receives the reason with the first", () => {
  let now = 0;
  const rates = createEventRates(() => now);
  const socket = fakeSession();
  const send = (count: number) => {
    for (let i = 0; i < count; i++) rates.refusal(socket, "a");
  };
  send(3050);
  expect([socket.connected, socket.sent]).toEqual([true, ["refused"]]);
  // What is allowed in between does not make it start again.
  now += 10;
  send(10 + 50);
  expect(socket.connected).toBe(true);
  send(1);
  expect(socket.connected).toBe(false);
});

it("requests of a session that came in one packet start one in each turn of the event loop", async () => {
  const queues = createRequestQueues();
  const [many, one] = [fakeSession(), fakeSession()];
  const started: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let i = 0; i < 5; i++)
    queues.add(many, async () => {
      started.push(`many ${i}`);
      if (i === 4) resolve();
    });
  queues.add(one, async () => void started.push("one"));
  await promise;
  expect(started).toEqual(["many 0", "one", "many 1", "many 2", "many 3", "many 4"]);
});

it("requests of a session that has ended are dropped", async () => {
  const queues = createRequestQueues();
  const socket = fakeSession();
  let started = 0;
  for (let i = 0; i < 5; i++) queues.add(socket, async () => void started++);
  socket.disconnect();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(started).toBe(1);
});
