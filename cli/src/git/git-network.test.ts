import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { gitNetwork } from "./git-network.ts";

test("git gives up on a server that sends a byte from time to time", async () => {
  await using server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" });
    response.write("001e# service=git-upload-pack\n0000");
    const timer = setInterval(() => response.write("0"), 100);
    response.on("close", () => clearInterval(timer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.git`);
  const { settings } = gitNetwork(url, {}, tmpdir());
  expect(settings).toContainEqual(["http.lowSpeedTime", "120"]);
  const given = settings.flatMap(([name, value]) => ["-c", `${name}=${name.endsWith("Time") ? 2 : value}`]);
  const listing = promisify(execFile)("git", [...given, "ls-remote", url.href], { timeout: 30_000 });
  await expect(listing).rejects.toMatchObject({ killed: false, stderr: expect.stringMatching(/too slow/) });
  server.closeAllConnections();
});
