import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError, type Upload } from "@crowdai/shared";
import { afterEach, beforeEach, expect, it } from "vitest";
import { digestFile, inspectFile, textSource } from "./byte-source.ts";
import { sendParts } from "./upload.ts";

let folder: string;
let server: Server | undefined;
let url: URL;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-upload-"));
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  server = undefined;
  await rm(folder, { recursive: true });
});

async function store(listener: RequestListener): Promise<void> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
const plan = (...sizes: number[]): Upload => ({
  parts: sizes.map((size, i) => ({
    number: i + 1,
    offset: sizes.slice(0, i).reduce((sum, s) => sum + s, 0),
    size,
    method: "PUT" as const,
    url: `${url.origin}/part/${i + 1}?signature=secret`,
    headers: { "x-part": String(i + 1) },
  })),
  expires_at: "",
});
async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}
const fail = (response: ServerResponse, error: CrowdaiError) =>
  response
    .writeHead(error.row.http, { "content-type": "application/json" })
    .end(JSON.stringify({ error: error.toBody() }));
async function failure(work: Promise<unknown>): Promise<CrowdaiError> {
  const thrown = await work.then(
    () => null,
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(CrowdaiError);
  expect(JSON.stringify([thrown.message, thrown.details])).not.toContain("secret");
  return thrown;
}

it("sends each part to its address with its headers, its length and no key, and reports progress", async () => {
  const seen = new Map<string, { text: string; headers: IncomingMessage["headers"] }>();
  await store(async (request, response) => {
    seen.set(request.url!, { text: await body(request), headers: request.headers });
    response.end();
  });
  const told: number[] = [];
  await sendParts(plan(4, 4, 2), textSource("0123456789"), {
    broker: url,
    onProgress: (done) => told.push(done),
  });
  expect([...seen.values()].map(({ text }) => text).sort()).toEqual(["0123", "4567", "89"]);
  const first = seen.get("/part/1?signature=secret")!;
  expect(first.headers).toMatchObject({ "x-part": "1", "content-length": "4" });
  expect(first.headers).not.toHaveProperty("authorization");
  expect(first.headers).not.toHaveProperty("transfer-encoding");
  expect(told[0]).toBe(0);
  expect(told.at(-1)).toBe(10);
});

it("counts parts that arrived earlier as done", async () => {
  await store(async (request, response) => {
    await body(request);
    response.end();
  });
  const upload = plan(6, 4);
  const told: number[] = [];
  upload.parts.shift();
  await sendParts(upload, textSource("0123456789"), { broker: url, onProgress: (done) => told.push(done) });
  expect(told).toEqual([6, 10]);
});

it("resends a part after a cut connection and after 503", async () => {
  let tries = 0;
  await store(async (request, response) => {
    tries++;
    if (tries === 1) return void request.socket.destroy();
    const text = await body(request);
    if (tries === 2) return void response.writeHead(503).end();
    expect(text).toBe("0123456789");
    response.end();
  });
  await sendParts(plan(10), textSource("0123456789"), { broker: url });
  expect(tries).toBe(3);
});

it("throws store_unreachable if the store does not answer", async () => {
  await store(() => {});
  await new Promise((resolve) => server!.close(resolve));
  server = undefined;
  const error = await failure(sendParts(plan(10), textSource("0123456789"), { broker: url, retries: 1 }));
  expect(error).toMatchObject({ code: "store_unreachable", exitCode: 5 });
});

it("throws the store's refusal without a retry", async () => {
  let tries = 0;
  await store(async (request, response) => {
    tries++;
    await body(request);
    fail(response, new CrowdaiError("signature_invalid", "It ended at noon."));
  });
  const error = await failure(sendParts(plan(10), textSource("0123456789"), { broker: url }));
  expect(error).toMatchObject({ code: "signature_invalid", message: "It ended at noon." });
  expect(tries).toBe(1);
});

it("recognizes a refusal in the words of another store", async () => {
  await store(async (request, response) => {
    await body(request);
    response
      .writeHead(403, { "content-type": "application/xml" })
      .end("<Error><Code>AccessDenied</Code></Error>");
  });
  expect((await failure(sendParts(plan(10), textSource("0123456789"), { broker: url }))).code).toBe(
    "signature_invalid",
  );
});

it.each([
  [
    413,
    "nginx/1.22.1",
    "proxy_refused",
    /A proxy \(nginx\/1\.22\.1\) answered .* status 413 and a web page: .* this size/,
  ],
  [
    403,
    "",
    "proxy_refused",
    /A proxy answered in place of the object store at 127\.0\.0\.1:\d+ with status 403/,
  ],
  [200, "", "proxy_refused", /A proxy answered .* with a web page/],
  [302, "", "proxy_refused", /A proxy answered .* with a redirect to http:\/\/sign-in\.example\./],
  [429, "edge", "store_unreachable", /A proxy \(edge\) answered .* status 429/],
  [502, "nginx", "store_unreachable", /A proxy \(nginx\) answered .* status 502/],
] as const)(
  "tells a page with status %i of a proxy from the store's own word",
  async (status, name, code, message) => {
    await store(async (request, response) => {
      await body(request);
      if (name) response.setHeader("server", name);
      if (status === 302) response.setHeader("location", "http://sign-in.example?token=secret");
      response.writeHead(status, { "content-type": "text/html" }).end("<html><h1>No</h1></html>");
    });
    const error = await failure(sendParts(plan(10), textSource("0123456789"), { broker: url, retries: 1 }));
    expect(error).toMatchObject({
      code,
      exitCode: 5,
      fault: "platform",
      details: { status, proxy: name || null },
    });
    expect(error.message).toMatch(message);
  },
);

it("takes the empty answer of a store that calls it text/html for its own word", async () => {
  await store(async (request, response) => {
    await body(request);
    response.writeHead(200, { "content-type": "text/html; charset=UTF-8", etag: '"e"' }).end();
  });
  expect(await sendParts(plan(10), textSource("0123456789"), { broker: url })).toBe(true);
});

it("throws file_too_large where the store itself says so", async () => {
  await store(async (request, response) => {
    await body(request);
    response.writeHead(400).end("<?xml version='1.0'?><Error><Code>EntityTooLarge</Code></Error>");
  });
  const error = await failure(sendParts(plan(10), textSource("0123456789"), { broker: url }));
  expect(error.code).toBe("file_too_large");
});

it.each([
  ["grows", (path: string) => appendFile(path, "more")],
  ["gets other bytes of the same size", (path: string) => writeFile(path, "y".repeat(3_000_000))],
])("says file_changed when the file %s while it is sent", async (_, change) => {
  const path = join(folder, "p.csv");
  await writeFile(path, "x".repeat(3_000_000));
  const source = await digestFile(await inspectFile(path));
  await store(async (request, response) => {
    await change(path);
    await body(request).catch(() => {});
    response.end();
  });
  expect((await failure(sendParts(plan(3_000_000), source, { broker: url }))).code).toBe("file_changed");
});

it("throws file_changed if the file shrinks, instead of waiting for missing bytes", async () => {
  const path = join(folder, "p.csv");
  await writeFile(path, "x".repeat(3_000_000));
  const source = await digestFile(await inspectFile(path));
  await writeFile(path, "x");
  await store(async (request, response) => {
    await body(request).catch(() => {});
    response.end();
  });
  expect((await failure(sendParts(plan(3_000_000), source, { broker: url }))).code).toBe("file_changed");
});

it("stops when its signal is aborted", async () => {
  const stop = new AbortController();
  await store(() => stop.abort());
  const error = await failure(
    sendParts(plan(10), textSource("0123456789"), { broker: url, signal: stop.signal }),
  );
  expect(error.code).toBe("interrupted");
});

it("reads no faster than the store accepts", async () => {
  const size = 64 * 1024 * 1024;
  let read = 0;
  const source = {
    ...textSource("x"),
    size,
    sha256: "0",
    read: () => {
      const { Readable } = process.getBuiltinModule("node:stream");
      const chunk = Buffer.alloc(1024 * 1024);
      return Readable.from(
        (function* () {
          for (; read < size; read += chunk.length) yield chunk;
        })(),
        { objectMode: false, highWaterMark: chunk.length },
      );
    },
  };
  const stop = new AbortController();
  await store((request) => {
    request.once("data", () => {
      request.pause();
      // The socket's buffers are full by then; any further bytes read would pile up in memory.
      setTimeout(() => stop.abort(), 300);
    });
  });
  const upload = plan(size);
  await failure(sendParts(upload, source, { broker: url, signal: stop.signal }));
  expect(read).toBeLessThan(size / 2);
});
