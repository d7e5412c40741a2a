import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { Socket as Connection } from "engine.io";
import type { Socket } from "socket.io";
import { expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
import { createEventRates } from "./event-rates.ts";
import { AT_A_TURN, createRequestQueues } from "./request-queues.ts";

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

/** A connection as far as the rates use it, whose packets take as long to handle as they say. */
function fakeConnection(handle: (packet: { data: string; ms: number }) => void) {
  const calls: string[] = [];
  const socket = { pause: () => calls.push("pause"), resume: () => calls.push("resume") };
  const connection = Object.assign(new EventEmitter(), {
    readyState: "open",
    transport: { socket },
    close() {
      connection.readyState = "closed";
    },
  });
  const send = (data: string, ms = 0) => {
    connection.emit("packet", { type: "message", data });
    if (connection.readyState !== "open") return;
    handle({ data, ms });
    connection.emit("message", data);
  };
  return { connection: connection as unknown as Connection, calls, send };
}

it("a connection whose messages take long to handle is read more slowly, with all others of its key", async () => {
  let now = 0;
  const rates = createEventRates(() => now);
  const handle = ({ ms }: { ms: number }) => {
    now += ms;
  };
  const [first, second, other] = [fakeConnection(handle), fakeConnection(handle), fakeConnection(handle)];
  for (const { connection } of [first, second, other]) rates.guard(connection);
  rates.admit("a", first.connection);
  rates.admit("a", second.connection);
  rates.admit("b", other.connection);
  for (let i = 0; i < 200; i++) first.send("2", 1);
  expect(first.calls).toEqual([]);
  first.send("2", 520);
  expect(first.calls).toEqual(["pause"]);
  await until(async () => first.calls.includes("resume"));
  second.send("2", 1);
  other.send("2", 400);
  expect([second.calls, other.calls]).toEqual([["pause"], []]);
});

it("a connection may open few sessions", () => {
  const rates = createEventRates(() => 0);
  const { connection, send } = fakeConnection(() => {});
  rates.guard(connection);
  for (let i = 0; i < 20; i++) send("0{}");
  expect(connection.readyState).toBe("open");
  send("0{}");
  expect(connection.readyState).toBe("closed");
});

it("sessions of one key share its rate, sessions of another key do not", () => {
  let now = 0;
  const rates = createEventRates(() => now);
  const handled = (socket: Socket, key: string, count: number) =>
    Array.from({ length: count }, () => rates.refusal(socket, key)).filter((error) => error === null).length;
  const sockets = [fakeSession(), fakeSession(), fakeSession()];
  expect(sockets.map((socket) => handled(socket, "a", 3000))).toEqual([3000, 3000, 0]);
  expect(() => rates.admit("a", fakeConnection(() => {}).connection)).toThrow(
    expect.objectContaining({ code: "too_many_requests" }),
  );
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
  // Allowed events in between do not make it start again.
  now += 10;
  send(10 + 50);
  expect(socket.connected).toBe(true);
  send(1);
  expect(socket.connected).toBe(false);
});

it("requests of a session that came in one packet start a few in each turn of the event loop", async () => {
  const queues = createRequestQueues();
  const [many, one] = [fakeSession(), fakeSession()];
  const started: string[] = [];
  for (let i = 0; i < 2 * AT_A_TURN + 1; i++) queues.add(many, async () => void started.push("many"));
  queues.add(one, async () => void started.push("one"));
  const turn = Array<string>(AT_A_TURN).fill("many");
  expect(started).toEqual([]);
  await setImmediate();
  expect(started.splice(0)).toEqual([...turn, "one"]);
  await setImmediate();
  expect(started.splice(0)).toEqual(turn);
  await setImmediate();
  expect(started).toEqual(["many"]);
});

it("a session has few requests at once, and the next ones start when these have ended", async () => {
  const queues = createRequestQueues(2);
  const socket = fakeSession();
  const { promise, resolve } = Promise.withResolvers<void>();
  const started: number[] = [];
  for (let i = 0; i < 4; i++)
    queues.add(socket, async () => {
      started.push(i);
      await promise;
    });
  await setImmediate();
  await setImmediate();
  expect(started).toEqual([0, 1]);
  resolve();
  await setImmediate();
  await setImmediate();
  expect(started).toEqual([0, 1, 2, 3]);
});

it("requests of a session that has ended are dropped", async () => {
  const queues = createRequestQueues();
  const socket = fakeSession();
  let started = 0;
  for (let i = 0; i < AT_A_TURN + 5; i++) queues.add(socket, async () => void started++);
  await setImmediate();
  socket.disconnect();
  await setImmediate();
  await setImmediate();
  expect(started).toBe(AT_A_TURN);
});
