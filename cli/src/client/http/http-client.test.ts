import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { CrowdaiError } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createHttpClient, type HttpClientOptions } from "./http-client.ts";

const open: (Server | TcpServer)[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    if ("closeAllConnections" in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen<S extends Server | TcpServer>(server: S): Promise<string> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const serve = (listener: RequestListener) => listen(createServer(listener));
const client = (broker: string, more: Partial<HttpClientOptions> = {}) =>
  createHttpClient({ broker, key: () => "the-key", client: "test/1", ...more });
const anything = z.object({ n: z.number() });
const json = (value: unknown) => JSON.stringify(value);

async function failure(work: Promise<unknown>): Promise<CrowdaiError> {
  const thrown = await work.then(
    () => null,
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(CrowdaiError);
  return thrown;
}

describe("get", () => {
  it("sends key, client and query, and returns the checked value", async () => {
    let seen: IncomingMessage | undefined;
    const url = await serve((request, response) => {
      seen = request;
      response.end(json({ n: 1, more: true }));
    });
    expect(await client(url).get("/api/v1/x", anything, { a: "b c", none: undefined })).toEqual({ n: 1 });
    expect(seen!.url).toBe("/api/v1/x?a=b+c");
    expect(seen!.headers).toMatchObject({ authorization: "Bearer the-key", "user-agent": "test/1" });
  });

  it("sends no key if there is none, and keeps the path of the broker's address", async () => {
    let seen: IncomingMessage | undefined;
    const url = await serve((request, response) => {
      seen = request;
      response.end(json({ n: 1 }));
    });
    await client(`${url}/crowd/`, { key: () => null }).get("/api/v1", anything);
    expect(seen!.headers.authorization).toBeUndefined();
    expect(seen!.url).toBe("/crowd/api/v1");
  });

  it("throws the broker's refusal with code, next step and details, without a retry", async () => {
    let asked = 0;
    const body = new CrowdaiError("challenge_unknown", "No such challenge.", {
      details: { suggestion: "iris" },
    }).toBody();
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(404, { "content-type": "application/json" }).end(json({ error: body }));
    });
    const error = await failure(client(url).get("/api/v1/x", anything));
    expect(error).toMatchObject({
      code: "challenge_unknown",
      message: "No such challenge.",
      details: { suggestion: "iris" },
    });
    expect(asked).toBe(1);
  });

  it("retries after 503, but not before Retry-After has passed", async () => {
    const times: number[] = [];
    const url = await serve((_, response) => {
      times.push(performance.now());
      if (times.length === 1) response.writeHead(503, { "retry-after": "1" }).end();
      else response.end(json({ n: 2 }));
    });
    expect(await client(url).get("/", anything)).toEqual({ n: 2 });
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
  });

  it("retries after a cut connection", async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      if (++asked < 3) request.socket.destroy();
      else response.end(json({ n: asked }));
    });
    expect(await client(url).get("/", anything)).toEqual({ n: 3 });
  });

  it("rejects with interrupted when its signal is aborted before an answer", async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    expect((await failure(client(url, { signal: stop.signal }).get("/", anything))).code).toBe("interrupted");
  });
});

describe("post", () => {
  it("is sent once, whatever happens, unless it is repeatable", async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      request.resume();
      if (request.url === "/healthz") return void response.end(json({ service: "crowdai" }));
      if (++asked === 1) response.writeHead(503).end();
      else response.end(json({ n: asked }));
    });
    expect((await failure(client(url).post("/", { a: 1 }, anything))).code).toBe("broker_unreachable");
    expect(asked).toBe(1);
    asked = 0;
    expect(await client(url).post("/", { a: 1 }, anything, { repeatable: true })).toEqual({ n: 2 });
  });
});

describe("a request that gets no answer from a broker", () => {
  it("throws broker_unreachable if nothing listens on the port", async () => {
    const url = await serve(() => {});
    const server = open.pop()!;
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(client(url).get("/api/v1/me", anything));
    expect(error).toMatchObject({ code: "broker_unreachable", exitCode: 5 });
    expect(error.message).toContain("nothing is listening on that port");
  });

  it("throws broker_unreachable if the server never answers", async () => {
    const url = await serve(() => {});
    const error = await failure(client(url, { idleMs: 50 }).post("/", {}, anything));
    expect(error.code).toBe("broker_unreachable");
    expect(error.message).toContain("no data for 0.05 s");
  });

  it("does not retry after a long timeout, so that timeouts do not add up", async () => {
    let asked = 0;
    const url = await serve(() => void asked++);
    const { code } = await failure(client(url, { idleMs: 60, repeatMs: 30 }).get("/api/v1/me", anything));
    expect([code, asked]).toEqual(["broker_unreachable", 1]);
  });

  it.each([
    ["a web page", { "content-type": "text/html" }, "<h1>hello</h1>"],
    ["unexpected JSON", { "content-type": "application/json" }, '{"hello":1}'],
    ["no JSON", {}, ""],
  ])("says not_a_broker when %s comes", async (said, headers, body) => {
    const url = await serve(
      (_, response) => void response.writeHead(200, headers as Record<string, string>).end(body),
    );
    const error = await failure(client(url).get("/api/v1/me", anything));
    expect(error).toMatchObject({ code: "not_a_broker", exitCode: 5 });
    expect(error.message).toContain(said);
  });

  it("throws not_a_broker if a web server answers with 404", async () => {
    const url = await serve(
      (_, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404</h1>"),
    );
    expect((await failure(client(url).get("/api/v1/me", anything))).code).toBe("not_a_broker");
  });

  it.each([
    [403, "<h1>Forbidden</h1>", "proxy_refused"],
    [413, "<h1>Too large</h1>", "proxy_refused"],
    [200, "<h1>Sign in</h1>", "proxy_refused"],
    [403, '{"message":"Forbidden"}', "proxy_refused"],
    [500, "<h1>Oops</h1>", "broker_unreachable"],
  ])("names the proxy that answers with %i and %s in front of a broker", async (status, page, code) => {
    const url = await serve((request, response) =>
      request.url === "/healthz"
        ? response.end(json({ service: "crowdai" }))
        : response.writeHead(status, { server: "gate/1", "content-type": "text/html" }).end(page),
    );
    const error = await failure(client(url).post("/api/v1/submissions", {}, anything));
    expect(error).toMatchObject({
      code,
      exitCode: 5,
      fault: "platform",
      details: { status, proxy: "gate/1" },
    });
    expect(error.message).toMatch(/^A proxy \(gate\/1\) answered in place of the broker at http:/);
  });

  it("does not blame the address for a proxy whose server is away", async () => {
    const url = await serve((_, response) =>
      response.writeHead(502, { server: "nginx", "content-type": "text/html" }).end("<h1>502</h1>"),
    );
    const error = await failure(client(url).post("/api/v1/submissions", {}, anything));
    expect(error.code).toBe("broker_unreachable");
    expect(error.message).toContain("A proxy (nginx) answered");
  });

  it("throws not_a_broker if the server speaks another protocol", async () => {
    const url = await listen(
      createTcpServer(
        (socket) =>
          void socket
            .on("error", () => {})
            .resume()
            .end("SSH-2.0-OpenSSH_9.9\r\n"),
      ),
    );
    expect((await failure(client(url).get("/api/v1/me", anything))).code).toBe("not_a_broker");
  });

  it("does not call a broker with a newer answer format not_a_broker", async () => {
    const url = await serve((request, response) =>
      response.end(json(request.url === "/healthz" ? { service: "crowdai" } : { shape: "new" })),
    );
    expect((await failure(client(url).get("/api/v1/me", anything))).code).toBe("unexpected");
  });

  it.each(["localhost:8420", "ftp://x", "not a url", "http://user:pass@host"])(
    "refuses the address %s as usage",
    (address) => {
      expect(() => client(address)).toThrow(expect.objectContaining({ code: "usage" }));
    },
  );
});
