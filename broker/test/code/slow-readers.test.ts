import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { createCallerPlaces } from "../../src/background/git/caller-places.ts";
import { createGit } from "../../src/background/git/git.ts";
import { FLUSH, packetLine } from "../../src/background/git/pkt-line.ts";
import { uploadPack } from "../../src/http/git/upload-pack.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

let broker: TestBroker;
let git: PlainGit;
const sockets: Socket[] = [];
beforeAll(async () => {
  [broker, git] = await Promise.all([startBroker(), createPlainGit()]);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all([broker.close(), git.close()]);
});

/** Asks for a whole repository and never reads the answer. */
function fetchWithoutReading(address: string, commit: string): Promise<void> {
  const { hostname, port, pathname } = new URL(address);
  const body = Buffer.concat([packetLine(`want ${commit}\n`), FLUSH, packetLine("done\n")]);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on("error", () => {});
  socket.pause();
  const head = [
    `POST ${pathname}/git-upload-pack HTTP/1.1`,
    "host: broker",
    `authorization: Bearer ${broker.key}`,
    "content-type: application/x-git-upload-pack-request",
    `content-length: ${body.length}`,
  ];
  return new Promise((resolve) => {
    socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]), () => resolve());
  });
}

it("participants who do not read their fetches hold up neither the pushes nor the fetches of others", async () => {
  const large = await git.snapshot({ "large.bin": randomBytes(12_000_000).toString("base64") });
  const { code } = await submitWithCode(broker, large);
  await git.must(["push", "-q", code!.url, `${large.commit}:${code!.ref}`], { key: broker.key });
  // The commit with the score, which is the one that others may fetch.
  const main = await until(async () => {
    const listed = await git.run(["ls-remote", code!.url, "refs/heads/main"], { key: broker.key });
    return /^[0-9a-f]{40}/.exec(listed.stdout)?.[0];
  });
  for (let i = 0; i < 2 * availableParallelism() + 2; i++) await fetchWithoutReading(code!.url, main);
  const arriving = join(broker.folder, "data/code/.arriving");
  await until(async () => (await readdir(arriving)).length > 0);

  const began = performance.now();
  const key = await broker.addParticipant("grace");
  const small = await git.snapshot({ a: "1" });
  const other = await submitWithCode(broker, small, { key });
  await git.must(["push", "-q", other.code!.url, `${small.commit}:${other.code!.ref}`], { key });
  await git.must(["ls-remote", other.code!.url], { key });
  expect(performance.now() - began).toBeLessThan(allowedMs(20_000));

  for (const socket of sockets) socket.destroy();
  await until(async () => (await readdir(arriving)).length === 0);
});

it("a client that reads slower than the minimum rate is cut off, and its place is free", async () => {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-fetch-"));
  const own = await createGit({ path: process.env.PATH!, atOnce: 1 });
  const { commit } = await git.snapshot({ "large.bin": randomBytes(2_000_000).toString("base64") });
  await git.must(["update-ref", "refs/heads/large", commit]);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const wanted = [packetLine(`want ${commit}\n`), FLUSH, packetLine("done\n")];
  const stream = await uploadPack({ git: own, arriving: () => mkdtemp(join(folder, "a-")) }, git.bare, {
    body: Readable.from(wanted),
    protocol: undefined,
    signal: new AbortController().signal,
    ended: resolve,
    reader: "ada",
    slowest: { bytesPerSecond: 1e9, patienceMs: 100 },
  });
  await ended;
  expect(await readdir(folder)).toEqual([]);
  await stream.cancel().catch(() => {});
  await own.close();
  await rm(folder, { recursive: true });
});

it("each caller has places of their own, and gives them back", async () => {
  const places = createCallerPlaces(1);
  const never = new AbortController().signal;
  const first = await places.take("a", never);
  await (await places.take("b", never))();
  const aborted = new AbortController();
  const waiting = places.take("a", aborted.signal);
  aborted.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  const second = places.take("a", never);
  first();
  first();
  (await second)();
  (await places.take("a", never))();
});

it("one reader has two processes that read at a time, and others do not wait for them", async () => {
  const reading = await createGit({ path: process.env.PATH!, atOnce: 4 });
  const start = (reader: string) => reading.start(["hash-object", "--stdin"], { dir: git.bare, reader });
  try {
    const held = [await start("ada"), await start("ada")];
    let third = false;
    const waiting = start("ada").then((child) => {
      third = true;
      child.stdin?.end();
    });
    const other = await start("grace");
    expect(third).toBe(false);
    held[0]!.stdin?.end();
    await waiting;
    for (const child of [held[1]!, other]) child.stdin?.end();
  } finally {
    await reading.close();
  }
});
