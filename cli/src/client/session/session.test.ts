import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { CrowdaiError, createApiKey } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { intent, read, useSessions } from "../../../test/sessions.ts";
import { proxyAgents } from "../http/proxy-agents.ts";

const sessions = useSessions();
const { open } = sessions;

describe.each(["socket", "http"] as const)("a session over %s", (transport) => {
  it("opens with participant, challenge and limits", async () => {
    const session = await open({ transport });
    expect(session.transport).toBe(transport);
    expect(session.opening).toMatchObject({
      participant: { name: "ada" },
      challenge: { id: "iris" },
      limits: { remaining: 4 },
    });
  });

  it("throws the broker's refusals", async () => {
    await expect(open({ transport, key: createApiKey() })).rejects.toMatchObject({ code: "key_unknown" });
    await expect(open({ transport, challenge: "irsi" })).rejects.toMatchObject({
      code: "challenge_unknown",
      details: { suggestion: "iris" },
    });
  });

  it("repeats what the broker cannot do at the moment", async () => {
    let refusals = 0;
    sessions.broker.intercept = () => {
      if (refusals++ % 2 === 0) throw new CrowdaiError("broker_busy");
      return false;
    };
    const session = await open({ transport });
    const { id } = intent();
    expect((await session.submit(intent(id))).submission.id).toBe(id);
    expect(refusals).toBeGreaterThanOrEqual(4);
  });

  it("reports what the broker still cannot do after some repetitions", async () => {
    const session = await open({ transport });
    sessions.broker.intercept = () => {
      throw new CrowdaiError("storage_failed");
    };
    await expect(session.submit(intent())).rejects.toMatchObject({ code: "storage_failed" });
    await expect(open({ transport })).rejects.toMatchObject({ code: "storage_failed" });
  });

  it("submits and yields every event once, in order, with the final submission", async () => {
    const session = await open({ transport });
    const sent = intent();
    await session.submit(sent, { follow: true });
    expect(await read(session.watch(sent.id))).toEqual({ seqs: [1, 2, 3, 4, 5], state: "graded" });
  });

  it("yields missed events to a later reader, from the number it gives", async () => {
    const session = await open({ transport });
    const sent = intent();
    await session.submit(sent);
    await read(session.watch(sent.id));
    expect((await read(session.watch(sent.id, { after: 3 }))).seqs).toEqual([4, 5]);
    expect((await read(session.watch(sent.id, { after: 5 }))).state).toBe("graded");
  });

  it("lets two readers watch one submission", async () => {
    sessions.broker.grader = null;
    const session = await open({ transport });
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const readers = [read(session.watch(id)), read(session.watch(id))];
    sessions.broker.finish(id, { state: "graded", score: 1 });
    for (const { seqs } of await Promise.all(readers)) expect(seqs).toEqual([1, 2, 3]);
  });

  it("throws submission_unknown for a submission that does not exist", async () => {
    const session = await open({ transport });
    await expect(read(session.watch("nothing-here"))).rejects.toMatchObject({ code: "submission_unknown" });
  });

  it("cancels, and accepts a submission that is already cancelled", async () => {
    sessions.broker.grader = null;
    const session = await open({ transport });
    const sent = intent();
    await session.submit(sent);
    expect((await session.cancel(sent.id)).state).toBe("cancelled");
    expect((await session.cancel(sent.id)).state).toBe("cancelled");
    sessions.broker.grader = () => ({ score: 1 });
    const graded = intent();
    await session.submit(graded, { follow: true });
    await read(session.watch(graded.id));
    await expect(session.cancel(graded.id)).rejects.toMatchObject({ code: "already_final" });
  });

  it("keeps watching after a restart of the broker, with no event lost or repeated", async () => {
    sessions.broker.grader = null;
    const session = await open({ transport });
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const reading = read(session.watch(id));
    sessions.broker.event(id, "grading");
    await sessions.broker.stop();
    sessions.broker.event(id, "progress", { percent: 10 });
    await sessions.broker.start();
    sessions.broker.finish(id, { state: "graded", score: 1 });
    expect(await reading).toEqual({ seqs: [1, 2, 3, 4, 5], state: "graded" });
  });

  it("says at once that the connection is lost, and when it is back", async () => {
    sessions.broker.grader = null;
    const changes: string[] = [];
    let changed = () => {};
    const onConnection = ({ state }: { state: string }) => {
      changes.push(state);
      changed();
    };
    const next = () => new Promise<void>((resolve) => (changed = resolve));
    const session = await open({ transport, onConnection });
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const reading = read(session.watch(id));
    const lost = next();
    await sessions.broker.stop();
    await lost;
    const back = next();
    await sessions.broker.start();
    await back;
    sessions.broker.finish(id, { state: "graded", score: 1 });
    expect((await reading).state).toBe("graded");
    expect(changes).toEqual(["lost", "back"]);
  });

  it("fails with broker_lost if the broker does not come back", async () => {
    sessions.broker.grader = null;
    const session = await open({ transport, lostAfterMs: 200 });
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const reading = read(session.watch(id));
    await sessions.broker.stop();
    await expect(reading).rejects.toMatchObject({ code: "broker_lost", exitCode: 5 });
  });

  it("rejects pending calls when its signal is aborted, and later calls too", async () => {
    sessions.broker.grader = null;
    const stop = new AbortController();
    const session = await open({ transport, signal: stop.signal });
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const reading = read(session.watch(id));
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: "interrupted" });
    await expect(session.submit(intent())).rejects.toMatchObject({ code: "interrupted" });
  });

  it("stops one reader by its own signal and continues for the others", async () => {
    sessions.broker.grader = null;
    const session = await open({ transport });
    const { id } = intent();
    await session.submit(intent(id), { follow: true });
    const stop = new AbortController();
    const stopped = read(session.watch(id, { signal: stop.signal }));
    const other = read(session.watch(id));
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toMatchObject({
      code: "interrupted",
      cause: expect.objectContaining({ message: "enough" }),
    });
    sessions.broker.finish(id, { state: "graded", score: 1 });
    expect((await other).state).toBe("graded");
  });
});

describe("opening", () => {
  it("falls back to plain requests if a proxy blocks sockets", async () => {
    await sessions.broker.stop();
    sessions.broker.sockets = false;
    await sessions.broker.start();
    const session = await open();
    expect(session.transport).toBe("http");
    const { id } = intent();
    await session.submit(intent(id));
    expect((await read(session.watch(id))).seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("uses the proxy named in the environment", async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method} ${new URL(request.url!).pathname}`);
      const onward = httpRequest(
        request.url!,
        { method: request.method, headers: request.headers },
        (reply) => {
          response.writeHead(reply.statusCode!, reply.headers);
          reply.pipe(response);
        },
      );
      request.pipe(onward);
    });
    const refuseSocket = (_: IncomingMessage, socket: Duplex) => {
      seen.push("socket");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    };
    proxy.on("upgrade", refuseSocket).on("connect", refuseSocket);
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      const agents = proxyAgents({ HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
      const session = await open({ agents });
      await session.submit(intent());
      expect(seen).toContain("socket");
      expect(seen).toContain("POST /api/v1/submissions");
      expect(proxyAgents({ PATH: "/bin" })(new URL("http://broker/"))).toBeUndefined();
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  it("uses a socket with a broker that was just starting", async () => {
    await sessions.broker.stop();
    const opening = open();
    setTimeout(() => void sessions.broker.start(), 100);
    expect((await opening).transport).toBe("socket");
  });

  it("throws broker_unreachable without a broker, and usage for an invalid address", async () => {
    await sessions.broker.stop();
    await expect(open()).rejects.toMatchObject({ code: "broker_unreachable" });
    await sessions.broker.start();
    await expect(open({ broker: "nowhere" })).rejects.toMatchObject({ code: "usage" });
  });

  it("stops when its signal is aborted", async () => {
    await expect(open({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "interrupted" });
  });
});

it("does not keep the process alive once it is closed", async () => {
  const script = `
    import { openSession } from ${JSON.stringify(new URL("./session.ts", import.meta.url).href)};
    const session = await openSession({ broker: ${JSON.stringify(sessions.broker.url)}, key: ${JSON.stringify(sessions.broker.key)}, challenge: "iris", client: "test/1" });
    const id = "kept-alive-1";
    await session.submit({ id, challenge: "iris", input: { kind: "inline", data: 1 } }, { follow: true });
    for await (const update of session.watch(id));
    session.close();
    process.stdout.write("closed");`;
  const file = join(sessions.folder, "script.mjs");
  await writeFile(file, script);
  const child = spawn(process.execPath, [file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  let closedAt = 0;
  child.stdout.on("data", (chunk) => {
    out += chunk;
    closedAt = performance.now();
  });
  const [code] = await once(child, "exit");
  expect([out, code]).toEqual(["closed", 0]);
  expect(performance.now() - closedAt).toBeLessThan(allowedMs(2_000));
});
