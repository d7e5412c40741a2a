import { createServer } from "node:http";
import { expect, it } from "vitest";
import { listen } from "./listen.ts";

it("a listening server keeps idle connections longer than proxies do", async () => {
  const server = createServer((_, response) => response.end());
  const url = await listen(server, { port: 0, host: "127.0.0.1" });
  const { headers } = await fetch(url);
  expect(headers.get("keep-alive")).toBe("timeout=65");
  server.close();
  server.closeAllConnections();
});

it("a port in use is refused by its number", async () => {
  const first = createServer();
  const { port } = new URL(await listen(first, { port: 0, host: "127.0.0.1" }));
  await expect(listen(createServer(), { port: Number(port), host: "127.0.0.1" })).rejects.toMatchObject({
    code: "port_in_use",
    message: `Port ${port} on 127.0.0.1 is already in use.`,
  });
  first.close();
});
