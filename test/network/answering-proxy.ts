import http from "node:http";
import type { AddressInfo } from "node:net";

/** An answer in place of the broker's. */
export interface Foreign {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** The page of a network that wants a person to sign in. */
export const SIGN_IN: Foreign = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><h1>Sign in</h1>",
};

/**
 * A forward proxy on loopback that may answer itself, and change JSON answers. It lets no WebSocket through.
 */
export interface AnsweringProxy extends AsyncDisposable {
  readonly url: string;
  /** Returns an answer for a request, such as "GET /api/v1/me", or nothing to forward it. */
  answer: ((what: string) => Foreign | undefined) | null;
  /** Awaited before a request is forwarded, and before its answer is. */
  on: ((when: "request" | "answer", what: string) => Promise<void> | undefined) | null;
  /** Returns the JSON in place of the broker's. */
  change: ((path: string, json: unknown) => unknown) | null;
}

export async function startAnsweringProxy(): Promise<AnsweringProxy> {
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url!);
    const what = `${request.method} ${url.pathname}`;
    const foreign = proxy.answer?.(what);
    if (foreign) {
      request.resume().on("end", () => response.writeHead(foreign.status, foreign.headers).end(foreign.body));
      return;
    }
    await proxy.on?.("request", what);
    const { method, headers } = request;
    const onward = http.request(url, { method, headers }, async (reply) => {
      const chunks: Buffer[] = [];
      for await (const chunk of reply) chunks.push(chunk as Buffer);
      let body: string | Buffer = Buffer.concat(chunks);
      if (proxy.change && reply.headers["content-type"]?.startsWith("application/json"))
        body = JSON.stringify(proxy.change(url.pathname, JSON.parse(body.toString())));
      const { "transfer-encoding": _, ...rest } = reply.headers;
      await proxy.on?.("answer", what);
      response.writeHead(reply.statusCode!, { ...rest, "content-length": Buffer.byteLength(body) }).end(body);
    });
    // Whatever the client has left unfinished reaches the broker unfinished too.
    request.on("close", () => request.complete || onward.destroy());
    request.pipe(onward.on("error", () => response.destroy()));
  });
  // Tunnels, which WebSockets need.
  server.on("connect", (_request, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
  server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: AnsweringProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: null,
    on: null,
    change: null,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
