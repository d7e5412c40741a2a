import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket as Stream } from "node:net";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Socket as Connection } from "engine.io";
import { expect, it, onTestFinished } from "vitest";
import { createEngine } from "./engine.ts";

const MESSAGES = Array.from({ length: 50 }, (_, index) => `message ${index}`);

it("messages that wait for one connection arrive in order, in few writes", async () => {
  const server = createServer();
  const engine = createEngine({ transports: ["websocket"] });
  engine.attach(server, { path: "/socket.io" });
  let writes = 0;
  server.on("connection", (stream: Stream) => {
    const [writev, write] = [stream._writev?.bind(stream), stream._write.bind(stream)];
    stream._writev = (...given) => {
      writes++;
      writev?.(...given);
    };
    stream._write = (...given) => {
      writes++;
      write(...given);
    };
  });
  engine.on("connection", (connection: Connection) => {
    writes = 0;
    for (const message of MESSAGES) connection.send(message);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    engine.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  const received: string[] = [];
  await new Promise<void>((resolve) => {
    client.onmessage = ({ data }) => {
      if (String(data).startsWith("4")) received.push(String(data).slice(1));
      if (received.length === MESSAGES.length) resolve();
    };
  });
  client.close();
  expect(received).toEqual(MESSAGES);
  expect(writes).toBeLessThan(10);
});

it.skipIf("Bun" in globalThis)(
  "a connection that forgets its request does not keep it in memory",
  async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const server = createServer();
    const engine = createEngine({ transports: ["websocket"] });
    engine.attach(server, { path: "/socket.io" });
    const requests: WeakRef<IncomingMessage>[] = [];
    engine.on("connection", (connection: { request: IncomingMessage | null }) => {
      requests.push(new WeakRef(connection.request!));
      connection.request = null;
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => {
      engine.close();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    onTestFinished(() => client.close());
    await once(client, "message");
    expect(requests).toHaveLength(1);
    await expect
      .poll(
        async () => {
          await setTimeout(0);
          collectGarbage();
          return requests[0]!.deref() === undefined;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    expect(client.readyState).toBe(WebSocket.OPEN);
  },
);
