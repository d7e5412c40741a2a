import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io } from "socket.io-client";
import { expect, it } from "vitest";
import { caddySettings, nginxSettings } from "../../broker/src/commands/init/proxy-files.ts";
import { startBroker } from "../../broker/test/support/test-broker.ts";
import { freePorts } from "../../scripts/services/daemon.ts";
import { startNginx } from "../../scripts/services/nginx.ts";
import { findProgram } from "../../scripts/services/programs.ts";
import { missing } from "../required-programs.ts";

const HOST = "localhost";

it.skipIf(missing("nginx", "openssl"))(
  "nginx with the settings of `init` serves a broker over TLS",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "crowdai-tls-"));
    const [port, tlsPort] = [await freePorts(), await freePorts()];
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
    const made = ["-keyout", key, "-out", cert];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...made], {
      stdio: "ignore",
    });
    // nginx runs as an ordinary user here.
    chmodSync(key, 0o644);
    const [, block] = /server \{\n(\s+listen 443[\s\S]*)\n\}\n$/.exec(nginxSettings(`https://${HOST}`))!;
    const settings = block!
      .replace("listen 443", `listen 127.0.0.1:${tlsPort}`)
      .replace(/.*\[::\].*\n/, "")
      .replace(/\/etc\S*fullchain\.pem/, cert)
      .replace(/\/etc\S*privkey\.pem/, key)
      .replace("127.0.0.1:8420", `127.0.0.1:${port}`);
    const nginx = await startNginx(folder, [settings]);
    const url = `https://${HOST}:${tlsPort}`;
    const test = await startBroker({
      port,
      withGrader: false,
      env: { PUBLIC_URL: url, TRUSTED_PROXIES: "127.0.0.1" },
    });
    try {
      const ca = readFileSync(cert, "utf8");
      const status = await new Promise((resolve, reject) =>
        request({ host: "127.0.0.1", port: tlsPort, servername: HOST, ca, path: "/readyz" }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on("error", reject)
          .end(),
      );
      expect(status).toBe(200);
      const auth = { apiKey: test.key, challenge: "test", client: "test" };
      const socket = io(`https://127.0.0.1:${tlsPort}`, {
        transports: ["websocket"],
        reconnection: false,
        auth,
        // The certificate names the host, which need not resolve to this address.
        rejectUnauthorized: false,
      });
      await new Promise((resolve, reject) => socket.once("session", resolve).once("connect_error", reject));
      expect(socket.io.engine.transport.name).toBe("websocket");
      socket.disconnect();
    } finally {
      await test.close();
      await nginx.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

it.skipIf(missing("caddy")).each([null, "https://example.org/crowdai"])(
  "Caddy accepts the settings of `init` for %s",
  (url) => {
    const folder = mkdtempSync(join(tmpdir(), "crowdai-caddyfile-"));
    const file = join(folder, "Caddyfile");
    writeFileSync(file, caddySettings(url));
    const args = ["adapt", "--adapter", "caddyfile", "--config", file];
    const adapted = execFileSync(findProgram("caddy")!, args, { encoding: "utf8", stdio: "pipe" });
    rmSync(folder, { recursive: true });
    expect(adapted).toContain(url ? '"example.org"' : '"crowdai.example.org"');
    expect(adapted).toContain('"dial":"127.0.0.1:8420"');
  },
);
