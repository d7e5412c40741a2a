import net from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { temporaryFolder } from "../../test/run-cli.ts";
import { createKeychain } from "./keychain.ts";

const PATH = process.env.PATH;

describe.runIf(process.platform === "linux")("the keychain on Linux", () => {
  test("fails at once without a D-Bus session", async () => {
    const began = performance.now();
    const keychain = createKeychain({ env: { PATH }, timeoutMs: 60_000 });
    await expect(keychain.get("a")).rejects.toThrow("no D-Bus session");
    expect(performance.now() - began).toBeLessThan(allowedMs(1_000));
  });

  test("gives up on a service that accepts the call and never answers", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "bus");
    const sockets: net.Socket[] = [];
    const silent = net.createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    try {
      const env = { PATH, DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
      const keychain = createKeychain({ env, timeoutMs: 1_500 });
      await expect(keychain.set("account", "secret")).rejects.toThrow("did not answer within 1.5 s");
      expect(sockets.length).toBeGreaterThan(0);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  test("never falls back to the kernel's keyring, which loses keys", async () => {
    await using folder = await temporaryFolder();
    const env = { PATH, DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder.path, "no-socket")}` };
    await expect(createKeychain({ env, timeoutMs: 10_000 }).set("account", "secret")).rejects.toThrow(
      /DBus|D-Bus/,
    );
  });
});
