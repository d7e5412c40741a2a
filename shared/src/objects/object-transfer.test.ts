import { createHash } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announced, collect, KEY, textOf } from "./contract/bytes.ts";
import { createFolderStore, type FolderStore } from "./folder-store.ts";
import { type ObjectServer, serveObjects } from "./testing/serve-objects.ts";

const MB = 1024 * 1024;
const LARGE = 200 * MB;
const CHUNK = new Uint8Array(MB).fill(7);

describe("transfers on the wire", () => {
  let folder: string;
  let store: FolderStore;
  let server: ObjectServer;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-objects-"));
    server = await serveObjects(() => store);
    store = await createFolderStore({ folder, baseUrl: () => server.url, secret: "s" });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ["as two others", ["Content-Length: 4", "Content-Length: 5"], "four!"],
    ["below nothing", ["Content-Length: -4"], "four"],
    ["beside chunks", ["Content-Length: 4", "Transfer-Encoding: chunked"], "4\r\nfour\r\n0\r\n\r\n"],
  ])("accept no body whose length is declared %s", async (_, lengths, body) => {
    const answer = await putRaw(lengths, body);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await store.stat(KEY)).toBeNull();
  });

  // RFC 9110, 8.6: a server may reject equal lengths or treat them as one, and the runtimes differ.
  it("with a length declared twice are rejected, or contain exactly the announced bytes", async () => {
    const answer = await putRaw(["Content-Length: 4", "Content-Length: 4"], "four and more");
    if (/^HTTP\/1\.1 4\d\d /.test(answer)) return expect(await store.stat(KEY)).toBeNull();
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(await collect(await store.get(KEY))).toEqual(textOf("four"));
  });

  it("of different bytes to one key at once leave one complete object", async () => {
    const texts = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(100_000));
    const addresses = await Promise.all(texts.map((text) => addressOf(textOf(text))));
    const answers = await Promise.all(
      addresses.map((url, i) => fetch(url, { method: "PUT", body: texts[i] as string })),
    );
    const taken = answers.flatMap(({ ok }, i) => (ok ? [texts[i]] : []));
    expect(taken.length).toBe(1);
    expect(answers.filter(({ status }) => status === 409).length).toBe(7);
    expect(new TextDecoder().decode(await collect(await store.get(KEY)))).toBe(taken[0]);
  });

  it("of 200 MB in both directions use constant memory", async () => {
    const hash = createHash("sha256");
    for (let sent = 0; sent < LARGE; sent += MB) hash.update(CHUNK);
    const { parts } = await store.planUpload(KEY, { size: LARGE, sha256: hash.digest("hex") });
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 5);
    try {
      expect(await putLarge(parts[0]?.url as string)).toBe(201);
      const answer = await fetch(await store.signGet(KEY, { seconds: 60 }));
      let got = 0;
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) got += chunk.length;
      expect(got).toBe(LARGE);
    } finally {
      clearInterval(watch);
    }
    expect((most - before) / MB).toBeLessThan(150);
  });

  it.runIf(process.platform === "linux")("close the file when the reader disconnects", async () => {
    await store.put(KEY, new Uint8Array(50 * MB));
    const url = await store.signGet(KEY, { seconds: 60 });
    let openWhileRead = 0;
    await new Promise<void>((gone) => {
      const reading = request(url, (answer) => {
        answer.once("data", () => {
          openWhileRead = openFiles();
          reading.destroy();
        });
      });
      reading.on("error", () => {});
      reading.on("close", () => gone());
      reading.end();
    });
    expect(openWhileRead).toBe(1);
    await vi.waitFor(() => expect(openFiles()).toBe(0), { timeout: 10_000 });
  });

  async function putRaw(lengths: readonly string[], body: string): Promise<string> {
    const url = new URL(await addressOf(textOf("four")));
    const head = [`PUT ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, "Connection: close"];
    return exchange(url, `${[...head, ...lengths].join("\r\n")}\r\n\r\n${body}`);
  }

  async function addressOf(bytes: Uint8Array): Promise<string> {
    return (await store.planUpload(KEY, announced(bytes))).parts[0]?.url as string;
  }

  function openFiles(): number {
    return readdirSync("/proc/self/fd").filter((number) => {
      try {
        return readlinkSync(`/proc/self/fd/${number}`).startsWith(folder);
      } catch {
        return false; // closed since the folder was listed
      }
    }).length;
  }
});

/** Sends raw bytes, and returns what was received until the connection was closed or reset. */
function exchange({ hostname, port }: URL, text: string): Promise<string> {
  return new Promise((ended) => {
    let got = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", (data) => {
      got += data;
      if (got.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => ended(got));
  });
}

function putLarge(url: string): Promise<number | undefined> {
  return new Promise((answered, failed) => {
    const sending = request(url, { method: "PUT", headers: { "content-length": LARGE } }, (answer) => {
      answer.resume();
      answered(answer.statusCode);
    });
    sending.on("error", failed);
    let sent = 0;
    const more = () => {
      while (sent < LARGE) {
        sent += MB;
        if (!sending.write(CHUNK)) return sending.once("drain", more);
      }
      return sending.end();
    };
    more();
  });
}
