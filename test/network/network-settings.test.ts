import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeChallenge } from "../../broker/test/support/test-broker.ts";
import { makeProject } from "../../cli/test/project.ts";
import { root } from "../../scripts/lib/root.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { freePorts } from "../../scripts/services/daemon.ts";
import { missing } from "../required-programs.ts";

const exec = promisify(execFile);
const COMMAND = join(root, "cli/bin/crowdai.js");

/**
 * A broker behind TLS with a certificate of its own authority, and a proxy that reaches it as `broker.test`.
 */
describe.skipIf(missing("git", "openssl", "python3"))("requests and git", () => {
  let folder: string;
  let certificate: string;
  let tls: NetServer;
  let proxy: Server;
  let broker: RunningBroker;
  let apiKey: string;
  /** The addresses that the proxy connected to. */
  const through: string[] = [];
  const portOf = (server: NetServer | Server) => (server.address() as AddressInfo).port;
  const listening = (server: NetServer | Server) =>
    new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));

  beforeAll(async () => {
    const port = await freePorts();
    folder = mkdtempSync(join(tmpdir(), "crowdai-network-"));
    certificate = join(folder, "ca.pem");
    const key = join(folder, "key.pem");
    const names = ["-subj", "/CN=broker.test", "-addext", "subjectAltName=DNS:broker.test,DNS:localhost"];
    await exec("openssl", [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      ...names,
      "-keyout",
      key,
      "-out",
      certificate,
    ]);
    tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (socket) => {
      const onward = connect(port, "127.0.0.1");
      socket.on("error", () => onward.destroy()).pipe(onward);
      onward.on("error", () => socket.destroy()).pipe(socket);
    });
    proxy = createServer().on("connect", (request, socket) => {
      through.push(String(request.url));
      const onward = connect(portOf(tls), "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      socket.on("error", () => onward.destroy()).pipe(onward);
      onward.on("error", () => socket.destroy()).pipe(socket);
    });
    await Promise.all([listening(tls), listening(proxy)]);
    await writeChallenge(join(folder, "challenges"), { code: { capture: "required" } });
    mkdirSync(join(folder, "data"));
    broker = await startBroker({
      data: join(folder, "data"),
      challenges: join(folder, "challenges"),
      port,
      env: { PUBLIC_URL: `https://broker.test:${portOf(tls)}` },
    });
    apiKey = await broker.addParticipant("ada");
  });
  afterAll(async () => {
    await broker?.stop();
    for (const server of [tls, proxy]) server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function crowdai(args: string[], env: Record<string, string>, cwd = folder) {
    const own = { PATH: process.env.PATH, HOME: folder, CROWDAI_CONFIG_DIR: join(folder, "user") };
    const given = { CROWDAI_API_KEY: apiKey, CROWDAI_CHALLENGE: "test", ...env };
    return exec(process.execPath, [COMMAND, ...args, "--format", "json"], {
      cwd,
      env: { ...own, ...given },
    }).then(
      ({ stdout }) => JSON.parse(stdout),
      (error: { stdout: string }) => JSON.parse(error.stdout),
    );
  }
  const statuses = ({ checks }: { checks: { name: string; status: string }[] }) =>
    ["broker", "git connection"].map((wanted) => checks.find(({ name }) => name === wanted)?.status);

  it("reach a broker through the proxy, trusting the authority of NODE_EXTRA_CA_CERTS", async () => {
    await using project = makeProject();
    writeFileSync(join(project.folder, "guess.csv"), "0.5\n");
    const env = {
      CROWDAI_BROKER: `https://broker.test:${portOf(tls)}`,
      NODE_EXTRA_CA_CERTS: certificate,
      HTTPS_PROXY: `127.0.0.1:${portOf(proxy)}`,
      NO_PROXY: "localhost 10.0.0.0/8",
    };
    const report = await crowdai(["doctor"], env);
    expect(statuses(report), JSON.stringify(report)).toEqual(["ok", "ok"]);
    const { submission } = await crowdai(["submit", "guess.csv"], env, project.folder);
    expect(submission).toMatchObject({ state: "graded", code: { state: "stored" } });
    const before = through.length;
    const cloned = await crowdai(["clone", submission.id, "copy"], env);
    expect(cloned.error).toBeUndefined();
    expect(readFileSync(join(folder, "copy/guess.csv"), "utf8")).toBe("0.5\n");
    expect(through.length).toBeGreaterThan(before + 1);
    expect(new Set(through)).toEqual(new Set([`broker.test:${portOf(tls)}`]));
  });

  it("connect directly to what NO_PROXY excludes", async () => {
    const env = {
      CROWDAI_BROKER: `https://localhost:${portOf(tls)}`,
      NODE_EXTRA_CA_CERTS: certificate,
      HTTPS_PROXY: "127.0.0.1:1",
    };
    for (const NO_PROXY of ["example.org localhost", `localhost:${portOf(tls)}`])
      expect(statuses(await crowdai(["doctor"], { ...env, NO_PROXY }))).toEqual(["ok", "ok"]);
    expect(statuses(await crowdai(["doctor"], env))).toEqual(["failed", "failed"]);
  });

  it("both refuse an authority that they do not know", async () => {
    const env = { CROWDAI_BROKER: `https://localhost:${portOf(tls)}` };
    const report = await crowdai(["doctor"], env);
    expect(statuses(report)).toEqual(["failed", "failed"]);
    expect(JSON.stringify(report)).toContain("NODE_EXTRA_CA_CERTS");
  });
});
