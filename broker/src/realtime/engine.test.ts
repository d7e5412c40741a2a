import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket as Stream } from "node:net";
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
