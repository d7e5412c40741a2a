import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../../../test/webhooks/receiver.ts";
import { type PostOptions, postMessage } from "./post-message.ts";

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = (_request, response) => void response.writeHead(200).end("ok");
});

const LOCAL = new Set(["127.0.0.1", "hook.test"]);
const post = (url: string, options: Partial<PostOptions> = {}) =>
  postMessage(url, { "webhook-id": "msg_1" }, '{"text":"ü"}', {
    ...{ hosts: LOCAL, timeoutMs: 5000, signal: new AbortController().signal },
    ...options,
  });

it("sends the body and the headers", async () => {
  await post(`${receiver.url}/path?query=1`);
  expect(receiver.received).toMatchObject([
    {
      path: "/path?query=1",
      headers: { "webhook-id": "msg_1", "content-length": "13" },
      body: '{"text":"ü"}',
    },
  ]);
});

it("follows no redirect", async () => {
  receiver.answer = (_request, response) =>
    void response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end();
  await expect(post(receiver.url)).rejects.toMatchObject({ message: "it redirects (307)", status: 307 });
  expect(receiver.received).toHaveLength(1);
});

it("counts any other status as not taken", async () => {
  receiver.answer = (_request, response) => void response.writeHead(500).end("secret");
  await expect(post(receiver.url)).rejects.toMatchObject({ message: "it answered 500", status: 500 });
});

it("ends a request without an answer", async () => {
  receiver.answer = () => {};
  await expect(post(receiver.url, { timeoutMs: 50 })).rejects.toMatchObject({
    ...{ message: "it did not answer within 0.05 s", status: null },
  });
});

it("does not read an answer that never ends", async () => {
  let closed: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    closed = resolve;
  });
  receiver.answer = (_request, response) => {
    response.writeHead(200);
    const more = () =>
      void (response.destroyed || response.write("x".repeat(4096), () => setImmediate(more)));
    response.on("close", closed);
    more();
  };
  await post(receiver.url);
  await end;
});

it("takes a status without the rest of its answer", async () => {
  receiver.answer = (_request, response) => {
    response.writeHead(200, { "content-length": "5" });
    response.write("o", () => response.destroy());
  };
  await post(receiver.url);
});

it("reports a server that does not speak TLS, and one that does not speak HTTP", async () => {
  const dumb: Server = createServer((socket) => void socket.end("SSH-2.0-OpenSSH\r\n"));
  await new Promise<void>((resolve) => dumb.listen(0, "127.0.0.1", resolve));
  const { port } = dumb.address() as AddressInfo;
  try {
    for (const scheme of ["https", "http"])
      await expect(post(`${scheme}://127.0.0.1:${port}/`)).rejects.toMatchObject({
        ...{ name: "NotTaken", status: null, message: expect.stringMatching(/^the connection failed/) },
      });
  } finally {
    dumb.close();
  }
  await expect(post(`http://127.0.0.1:${port}/`)).rejects.toThrow(/^the connection failed \(/);
});

it("connects to the address that was checked, which is resolved once", async () => {
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    return [{ address: "127.0.0.1", family: 4 }];
  };
  await post(receiver.url.replace("127.0.0.1", "hook.test"), { resolve });
  expect(asked).toEqual(["hook.test"]);
  expect(receiver.received[0]?.headers.host).toMatch(/^hook\.test:/);
});

it.each([
  ["https://127.0.0.1/", []],
  ["https://[::1]/", []],
  ["https://[::ffff:127.0.0.1]/", []],
  ["https://0x7f.1/", []],
  ["https://169.254.169.254/latest/meta-data", []],
  ["https://inside.test/", ["10.0.0.1"]],
  ["https://inside.test/", ["::ffff:192.168.0.1", "fd00::1"]],
])("never connects to %s, which is at %j, unless listed", async (url, addresses) => {
  const resolve = async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  await expect(post(url, { hosts: new Set(), resolve })).rejects.toMatchObject({
    ...{ message: "its host has no public address, and is not in WEBHOOK_HOSTS", status: null },
  });
});

it("refuses http:// to a host that is not listed", async () => {
  await expect(post("http://example.org/", { hosts: new Set() })).rejects.toThrow("http://");
});

it("reports a name that cannot be resolved", async () => {
  await expect(post("https://no-such-name.invalid/")).rejects.toThrow(/^its host cannot be resolved/);
});
