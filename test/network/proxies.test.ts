import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startContractBroker } from "../../cli/test/contract-broker.ts";
import type { ContractBroker } from "../../cli/test/contract-types.ts";
import { root } from "../../scripts/lib/root.ts";
import { findMachineNode } from "../packed-client/machine-node.ts";
import { missing } from "../required-programs.ts";

const LOGIN = "me:p@ss";
const machine = findMachineNode();
const RUNTIMES = [
  ["the runtime of this test", process.execPath],
  ...(machine ? [[`the machine's Node.js ${machine.version}`, machine.node]] : []),
] as [string, string][];

/** A broker, reached as `broker.test` only through a proxy that asks for a login: over HTTP, and over TLS. */
describe.skipIf(missing("openssl"))("the built client behind a proxy", () => {
  let folder: string;
  let certificate: string;
  let broker: ContractBroker;
  let plain: NetServer;
  let tls: NetServer;
  let proxy: Server;
  let asked: string[] = [];
  /** Ports of clients: of the proxy's connections to the broker, and of all. */
  const [proxied, connected] = [new Set<number>(), new Set<number>()];
  const portOf = (server: NetServer | Server) => (server.address() as AddressInfo).port;
  const mayPass = ({ headers }: IncomingMessage) =>
    headers["proxy-authorization"] === `Basic ${Buffer.from(LOGIN).toString("base64")}`;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-proxies-"));
    broker = await startContractBroker();
    certificate = join(folder, "ca.pem");
    const key = join(folder, "key.pem");
    const names = ["-subj", "/CN=broker.test", "-addext", "subjectAltName=DNS:broker.test,IP:127.0.0.1"];
    const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
    await promisify(execFile)("openssl", ["req", "-x509", ...made, ...names]);
    const { hostname: host, port } = new URL(broker.url);
    const relay = (socket: Socket) => {
      connected.add(socket.remotePort!);
      const onward = connect(Number(port), host);
      socket.on("error", () => onward.destroy()).pipe(onward);
      onward.on("error", () => socket.destroy()).pipe(socket);
    };
    plain = createNetServer(relay);
    tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, relay);
    const noted = (socket: Socket) => socket.once("connect", () => proxied.add(socket.localPort!));
    proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (!mayPass(request)) return void response.writeHead(407).end();
      const { pathname, search } = new URL(request.url!);
      const { method, headers } = request;
      const target = { host: "127.0.0.1", port: portOf(plain), path: pathname + search, method, headers };
      const onward = httpRequest({ ...target, agent: false }, (reply) => {
        response.writeHead(reply.statusCode!, reply.headers);
        reply.pipe(response);
      });
      request.pipe(onward.on("socket", noted).on("error", () => response.destroy()));
    });
    proxy.on("upgrade", (request, socket) => {
      asked.push(`${request.method} ${request.url}`);
      if (!mayPass(request)) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      const { pathname, search } = new URL(request.url!);
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const onward = connect(portOf(plain), "127.0.0.1");
      noted(onward).write(`GET ${pathname}${search} HTTP/1.1\r\n${headers.join("")}\r\n`);
      socket.on("error", () => onward.destroy()).pipe(onward);
      onward.on("error", () => socket.destroy()).pipe(socket);
    });
    proxy.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      if (!mayPass(request)) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      const onward = connect(portOf(tls), "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      noted(onward);
      socket.on("error", () => onward.destroy()).pipe(onward);
      onward.on("error", () => socket.destroy()).pipe(socket);
    });
    for (const server of [plain, tls, proxy])
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  });
  afterAll(async () => {
    await broker?.close();
    proxy?.closeAllConnections();
    for (const server of [plain, tls, proxy]) server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function crowdai(runtime: string, args: string[], env: Record<string, string>) {
    asked = [];
    const own = {
      PATH: process.env.PATH,
      HOME: folder,
      CROWDAI_CONFIG_DIR: join(folder, "user"),
      CI: "true",
    };
    const given = { CROWDAI_API_KEY: broker.key, CROWDAI_CHALLENGE: "iris", ...env };
    const command = [join(root, "cli/bin/crowdai.js"), ...args];
    return promisify(execFile)(runtime, command, { cwd: folder, env: { ...own, ...given } }).then(
      (done) => ({ code: 0, ...done }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  }
  const overHttp = () => ({
    CROWDAI_BROKER: "http://broker.test",
    HTTP_PROXY: `http://me:p%40ss@127.0.0.1:${portOf(proxy)}`,
  });
  const overTls = () => ({
    CROWDAI_BROKER: "https://broker.test",
    NODE_EXTRA_CA_CERTS: certificate,
    HTTPS_PROXY: `me:p%40ss@127.0.0.1:${portOf(proxy)}`,
  });

  describe.each(RUNTIMES)("under %s", (_, runtime) => {
    it("sends requests to an http: broker through it", async () => {
      const done = await crowdai(runtime, ["whoami"], overHttp());
      expect(done, done.stderr).toMatchObject({ code: 0 });
      expect(asked).toEqual(["GET http://broker.test/api/v1/me"]);
    });

    it("opens requests and the socket of a session to an https: broker through it", async () => {
      const read = await crowdai(runtime, ["whoami"], overTls());
      expect(read, read.stderr).toMatchObject({ code: 0 });
      const sent = await crowdai(runtime, ["submit", "--json", "[1]", "--no-wait"], overTls());
      expect(sent, sent.stderr).toMatchObject({ code: 0 });
      expect(new Set(asked)).toEqual(new Set(["CONNECT broker.test:443"]));
    });

    it.each([
      [
        "http:",
        /^GET .*\/socket\.io\//m,
        () => ({ ...overHttp(), CROWDAI_BROKER: `http://127.0.0.1:${portOf(plain)}` }),
      ],
      ["https:", /^CONNECT /m, () => ({ ...overTls(), CROWDAI_BROKER: `https://127.0.0.1:${portOf(tls)}` })],
    ])("makes no connection past it, even to an %s broker that it could reach", async (_, socket, env) => {
      connected.clear();
      const sent = await crowdai(runtime, ["submit", "--json", "[1]", "--no-wait"], env());
      expect(sent, sent.stderr).toMatchObject({ code: 0 });
      expect([...connected].filter((port) => !proxied.has(port))).toEqual([]);
      expect(asked.join("\n")).toMatch(socket);
    });

    it.each([
      ["http:", () => ({ ...overHttp(), HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}` })],
      ["https:", () => ({ ...overTls(), HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}` })],
    ])("names a proxy that refuses an %s request", async (_, env) => {
      const done = await crowdai(runtime, ["whoami"], env());
      expect(done, done.stderr).toMatchObject({ code: 5 });
      expect(done.stderr).toMatch(/proxy/i);
    });

    it("connects directly to what NO_PROXY excludes", async () => {
      const env = { CROWDAI_BROKER: broker.url, HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "127.0.0.0/8" };
      expect(await crowdai(runtime, ["whoami"], env)).toMatchObject({ code: 0 });
    });
  });
});
