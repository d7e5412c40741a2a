import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createReconnectingConnection, type ReconnectingConnection } from "./reconnecting-connection.ts";
import { createScriptedRedis, type ScriptedClient } from "./testing/scripted-redis.ts";

const never = () => new Promise<never>(() => {});

describe("a connection that reconnects", () => {
  let connections: ReconnectingConnection[] = [];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    for (const connection of connections) connection.close();
    connections = [];
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function open(prepare: (client: ScriptedClient, number: number) => void = () => {}) {
    const { redis, clients, prepare: each } = createScriptedRedis();
    each((client) => prepare(client, clients.length + 1));
    const seen: { ready: unknown[]; lost: string[] } = { ready: [], lost: [] };
    const connection = createReconnectingConnection({
      redis,
      onReady: (client) => seen.ready.push(client),
      onDisconnect: ({ message }) => seen.lost.push(message),
    });
    connections.push(connection);
    return { connection, clients, seen };
  }
  const hang = (client: ScriptedClient) => {
    client.onConnect = never;
  };
  /** Settles to the value, or to the message of the error. */
  function outcomeOf(promise: Promise<unknown>) {
    const result: { outcome: unknown } = { outcome: "pending" };
    promise.then(
      (value) => {
        result.outcome = value;
      },
      (error: Error) => {
        result.outcome = error.message;
      },
    );
    return result;
  }

  it("runs work with its client, and works without listeners", async () => {
    const { connection, clients, seen } = open();
    expect([connection.connected, connection.connectionNumber]).toEqual([false, 0]);
    expect(await connection.use(async (client) => client)).toBe(clients[0]);
    expect([connection.connected, connection.connectionNumber, connection.lastError]).toEqual([
      true,
      1,
      null,
    ]);
    expect([seen, clients[0]?.connects]).toEqual([{ ready: [clients[0]], lost: [] }, 1]);
    const { redis } = createScriptedRedis();
    const plain = createReconnectingConnection({ redis });
    connections.push(plain);
    expect(await plain.use(async () => 1)).toBe(1);
    void outcomeOf(plain.use(never, 10));
    await pass(200);
    expect(plain.connectionNumber).toBe(2);
  });

  it("does not connect a client that connects by itself", async () => {
    const { clients } = open((client) => {
      client.status = "connecting";
    });
    await pass(100);
    expect(clients[0]?.connects).toBe(0);
  });

  it("lets work wait for the connection, a second at most", async () => {
    const { connection, clients } = open(hang);
    const first = outcomeOf(connection.use(async () => "first"));
    await pass(900);
    const second = outcomeOf(connection.use(async () => "second"));
    await pass(99);
    expect(first.outcome).toBe("pending");
    await pass(1);
    expect([first.outcome, second.outcome]).toEqual(["Redis is unreachable.", "pending"]);
    clients[0]!.emit("ready");
    await pass(0);
    expect([second.outcome, vi.getTimerCount()]).toEqual(["second", 0]);
    await pass(5000);
    expect(connection.connectionNumber).toBe(1);
  });

  it("says why it is not connected", async () => {
    const { connection } = open((client) => {
      client.onConnect = async () => {
        throw new Error("no route");
      };
    });
    const error = connection.use(async () => 1).catch((reason: Error) => reason);
    await pass(1000);
    expect(await error).toMatchObject({
      message: "Redis is unreachable: no route",
      cause: { message: "no route" },
    });
    expect([connection.lastError?.message, connection.connected]).toEqual(["no route", false]);
  });

  it.each([
    [undefined, 3000],
    [20, 20],
  ])("is replaced when work takes longer than %s", async (limit, ms) => {
    const { connection, clients, seen } = open();
    await pass(0);
    const late = outcomeOf(connection.use(never, limit));
    await pass(ms - 1);
    expect([late.outcome, clients[0]?.disconnected]).toEqual(["pending", false]);
    await pass(1);
    const message = `Redis did not respond within ${ms} ms.`;
    expect([late.outcome, clients[0]?.disconnected, clients[0]?.stream.destroyed]).toEqual([
      message,
      true,
      true,
    ]);
    expect([connection.connected, seen.lost, clients.length]).toEqual([false, [message], 1]);
    await pass(49);
    expect(clients).toHaveLength(1);
    await pass(1);
    expect([clients.length, connection.connected, connection.connectionNumber]).toEqual([2, true, 2]);
    expect(connection.lastError).toBeNull();
  });

  it("stays when work ends in time, or fails with an error of its own", async () => {
    const { connection, clients } = open();
    await pass(0);
    await connection.use(async () => 1, 10);
    for (const message of ["ERR wrong", "the Connection is closed", "so Stream isn't writeable"])
      await expect(connection.use(async () => Promise.reject(new Error(message)), 10)).rejects.toThrow(
        message,
      );
    expect(vi.getTimerCount()).toBe(0);
    await pass(5000);
    expect([clients.length, connection.connected]).toEqual([1, true]);
  });

  it.each(["READONLY You can't write", "MASTERDOWN Link", "UNBLOCKED the instance"])(
    "is replaced after %s, which is thrown",
    async (message) => {
      const { connection, clients } = open();
      await pass(0);
      const work = outcomeOf(connection.use(async () => Promise.reject(new Error(message))));
      await pass(0);
      expect([work.outcome, connection.connected, clients[0]?.disconnected]).toEqual([message, false, true]);
      await pass(50);
      expect(connection.connectionNumber).toBe(2);
    },
  );

  it.each(["Connection is closed.", "Stream isn't writeable and enableOfflineQueue options is false"])(
    "counts as unreachable after %s",
    async (message) => {
      const { connection } = open();
      await pass(0);
      const work = outcomeOf(connection.use(async () => Promise.reject(new Error(message))));
      await pass(0);
      expect([work.outcome, connection.connected]).toEqual([`Redis is unreachable: ${message}`, false]);
      await pass(50);
      expect(connection.connectionNumber).toBe(2);
    },
  );

  it("does not end a newer connection with work of an older one", async () => {
    const { connection, clients } = open();
    await pass(0);
    void outcomeOf(connection.use(never, 1000));
    clients[0]!.emit("close");
    await pass(50);
    expect(connection.connectionNumber).toBe(2);
    await pass(1000);
    expect([connection.connectionNumber, connection.connected]).toEqual([2, true]);
  });

  it("gives up a connection that does not become ready within three seconds", async () => {
    const { connection, clients, seen } = open(hang);
    await pass(2999);
    expect([clients.length, seen.lost]).toEqual([1, []]);
    await pass(1);
    expect([seen.lost, clients[0]?.disconnected]).toEqual([["no response within 3000 ms"], true]);
    // Too late.
    clients[0]!.emit("ready");
    expect(connection.connected).toBe(false);
  });

  it("pauses longer after each failure, a second at most, and reports a loss once", async () => {
    let fails = true;
    const { clients, seen } = open((client) => {
      client.onConnect = async () => {
        if (fails) throw new Error("refused");
        client.emit("ready");
      };
    });
    const times: number[] = [];
    const began = performance.now();
    for (let known = 1; known < 8; ) {
      await pass(10);
      if (clients.length > known) times.push(performance.now() - began);
      known = clients.length;
    }
    expect(times.map((time, i) => time - (times[i - 1] ?? 0))).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
    expect(seen.lost).toEqual(["refused"]);
    fails = false;
    await pass(1000);
    expect(seen.ready).toHaveLength(1);
    clients.at(-1)!.emit("close");
    expect(seen.lost).toEqual(["refused", "the connection was closed"]);
    const count = clients.length;
    await pass(50);
    expect(clients).toHaveLength(count + 1);
  });

  it("is lost once, with the error that came before", async () => {
    const { connection, clients, seen } = open();
    await pass(0);
    const [client] = clients;
    client!.emit("error", new Error("reset by peer"));
    expect(connection.connected).toBe(true);
    client!.emit("close");
    client!.emit("end");
    expect([connection.connected, seen.lost]).toEqual([false, ["reset by peer"]]);
    await pass(1000);
    expect(clients).toHaveLength(2);
  });

  it("prefers the first error of an attempt to that of its end", async () => {
    const { connection } = open((client) => {
      client.onConnect = async () => {
        client.emit("error", new Error("bad certificate"));
        throw new Error("Connection is closed.");
      };
    });
    await pass(10);
    expect(connection.lastError?.message).toBe("bad certificate");
  });

  it("is lost with the end of its client alone", async () => {
    const { clients, seen } = open(hang);
    clients[0]!.emit("end");
    // Its next attempt alone is left.
    expect(vi.getTimerCount()).toBe(1);
    expect(seen.lost).toEqual(["the connection was closed"]);
  });

  it("destroys the sockets of all nodes of a cluster", async () => {
    const streams = [{ destroy: vi.fn() }, { destroy: vi.fn() }];
    const nodes = vi.fn(() => [...streams.map((stream) => ({ stream })), {}]);
    const { clients } = open((client) => Object.assign(client, { nodes }));
    await pass(0);
    clients[0]!.emit("close");
    expect(nodes).toHaveBeenCalledWith("all");
    expect(streams.map(({ destroy }) => destroy.mock.calls.length)).toEqual([1, 1]);
    expect(clients[0]?.disconnected).toBe(true);
  });

  it("ends with close: its work, its client, and its attempts", async () => {
    const { connection, clients, seen } = open(hang);
    const waiting = outcomeOf(connection.use(async () => 1));
    connection.close();
    await pass(0);
    expect([waiting.outcome, clients[0]?.disconnected]).toEqual(["The queue is closed.", true]);
    const later = outcomeOf(connection.use(async () => 1));
    await pass(0);
    expect(later.outcome).toBe("The queue is closed.");
    await pass(10_000);
    expect([clients.length, seen.lost]).toEqual([1, []]);
  });

  it("does not connect again when it was closed during a pause", async () => {
    const { connection, clients } = open();
    await pass(0);
    clients[0]!.emit("close");
    connection.close();
    expect(vi.getTimerCount()).toBe(0);
    await pass(10_000);
    expect(clients).toHaveLength(1);
  });

  it("does not connect again when it is closed as it is lost", async () => {
    const { redis, clients } = createScriptedRedis();
    const connection = createReconnectingConnection({ redis, onDisconnect: () => connection.close() });
    await pass(0);
    clients[0]!.emit("close");
    await pass(10_000);
    expect(clients).toHaveLength(1);
  });
});
