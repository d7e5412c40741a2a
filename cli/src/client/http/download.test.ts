import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createHttpClient } from "./http-client.ts";

const bytes = Buffer.from("0123456789".repeat(20_000));
const sha256 = createHash("sha256").update(bytes).digest("hex");
let folder: string;
const open: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-download-"));
});
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true });
});
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const client = (broker: string) => createHttpClient({ broker, key: () => "the-key", client: "test/1" });

it("writes the whole file and returns its digest", async () => {
  const url = await serve((_, response) => void response.end(bytes));
  const to = join(folder, "deep/in/train.csv");
  expect(await client(url).download("/data/train.csv", { to, sha256, size: bytes.length })).toEqual({
    size: bytes.length,
    sha256,
  });
  expect(await readFile(to)).toEqual(bytes);
});

it.each([
  [200, "with a web page"],
  [403, "with status 403 and a web page"],
])("does not take a page of a proxy (status %i) for the file", async (status, said) => {
  const url = await serve((_, response) =>
    response.writeHead(status, { server: "gate", "content-type": "text/html" }).end("<h1>Sign in</h1>"),
  );
  const refused = client(url).download("/data/train.csv", { to: join(folder, "x"), sha256 });
  await expect(refused).rejects.toMatchObject({ code: "proxy_refused", exitCode: 5 });
  await expect(refused).rejects.toThrow(`A proxy (gate) answered in place of the server at 127.0.0.1`);
  await expect(refused).rejects.toThrow(said);
  expect(await readdir(folder)).toEqual([]);
});

it("resumes after a cut connection", async () => {
  const ranges: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from ? 206 : 200, { "content-length": bytes.length - from });
    if (ranges.length > 1) return void response.end(bytes.subarray(from));
    response.write(bytes.subarray(0, 50_000), () => request.socket.end());
  });
  const to = join(folder, "x");
  await client(url).download("/x", { to, sha256 });
  expect(await readFile(to)).toEqual(bytes);
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
});

it("starts over without repeating bytes if the server does not support ranges", async () => {
  let asked = 0;
  const url = await serve((request, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    if (++asked > 1) return void response.end(bytes);
    response.write(bytes.subarray(0, 50_000), () => request.socket.end());
  });
  const to = join(folder, "x");
  await client(url).download("/x", { to, sha256 });
  expect(await readFile(to)).toEqual(bytes);
});

it("follows a redirect to the store without sending the key", async () => {
  const seen: IncomingMessage[] = [];
  const store = await serve((request, response) => {
    seen.push(request);
    response.end(bytes);
  });
  const url = await serve((request, response) => {
    seen.push(request);
    response.writeHead(302, { location: `${store}/object?signature=1` }).end();
  });
  await client(url).download("/x", { to: join(folder, "x"), sha256 });
  expect(seen.map((request) => request.headers.authorization)).toEqual(["Bearer the-key", undefined]);
});

it("leaves no file behind if the digest differs", async () => {
  const url = await serve((_, response) => void response.end("others"));
  await expect(client(url).download("/x", { to: join(folder, "x"), sha256 })).rejects.toMatchObject({
    code: "digest_mismatch",
  });
  expect(await readdir(folder)).toEqual([]);
});

it("writes to a stream and leaves it open", async () => {
  const chunks: Buffer[] = [];
  const to = new Writable({
    highWaterMark: 1000,
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      setImmediate(done);
    },
  });
  const url = await serve((_, response) => void response.end(bytes));
  await client(url).download("/x", { to });
  expect(Buffer.concat(chunks)).toEqual(bytes);
  expect(to.writableEnded).toBe(false);
});

it("reports a failing output", async () => {
  const to = new Writable({ write: (_chunk, _encoding, done) => done(new Error("disk full")) });
  const url = await serve((_, response) => void response.end(bytes));
  await expect(client(url).download("/x", { to })).rejects.toThrow("disk full");
});
