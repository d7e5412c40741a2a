import net from "node:net";
import { createApiKey } from "@crowdai/shared";
import { afterAll, expect, test } from "vitest";
import { runCli, temporaryFolder } from "../../../test/run-cli.ts";
import { readAccount } from "./account.ts";
import { createHttpClient } from "./http-client.ts";

const servers: net.Server[] = [];
const sockets = new Set<net.Socket>();
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that answers each request with `first` at once, and then one byte every 50 ms, without end. */
async function drippingServer(first: string): Promise<string> {
  const server = net.createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("data", () => {
      socket.write(first);
      const dripping = setInterval(() => socket.write("x"), 50);
      socket.once("close", () => clearInterval(dripping));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

const HEADERS = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

test.concurrent.each([
  ["headers", "HTTP/1.1 200 OK\r\nx-long: "],
  ["body", `${HEADERS}content-length: 1000000\r\n\r\n`],
  ["unlimited body", `${HEADERS}\r\n`],
  ["refusal", "HTTP/1.1 500 Error\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"],
])("a server that sends its %s byte by byte does not hold a request", async (_, first) => {
  const broker = await drippingServer(first);
  const http = createHttpClient({ broker, client: "test", idleMs: 2_000, repeatMs: 0 });
  const began = performance.now();
  await expect(readAccount(http)).rejects.toMatchObject({
    code: "broker_unreachable",
    message: expect.stringContaining("the answer arrives too slowly"),
  });
  expect(performance.now() - began).toBeLessThan(40_000);
});

test.concurrent("`whoami` ends with 5 at a server that sends a byte at a time", async () => {
  await using folder = await temporaryFolder();
  const url = await drippingServer(`${HEADERS}\r\n`);
  const { code, stderr } = await runCli(["whoami"], {
    cwd: folder.path,
    env: { CROWDAI_BROKER: url, CROWDAI_API_KEY: createApiKey() },
  });
  expect(code).toBe(5);
  expect(stderr).toContain("the answer arrives too slowly");
});
