import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../run-cli.ts";

describe("61: a command that waits for its broker shows a sign of life", () => {
  /** Answers after a while. */
  const server = createServer(async (_, response) => {
    await sleep(600);
    const me = { participant: { id: 1, name: "ada" }, agreed: false };
    response.setHeader("content-type", "application/json").end(JSON.stringify(me));
  });
  let broker: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    broker = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const whoami = (tty: boolean, env: Record<string, string> = {}, ...more: string[]) =>
    runCli(["whoami", ...more], {
      cwd: "/nowhere",
      tty: { stdout: tty, stderr: tty },
      env: { CROWDAI_BROKER: broker, CROWDAI_API_KEY: createApiKey(), TERM: "xterm", ...env },
    });

  it("on a terminal, with the broker's address, and removes it", async () => {
    const { code, stdout, stderr } = await whoami(true);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("ada") });
    expect(stderr).toContain(`Waiting for ${broker}`);
    expect(stdout).not.toContain("Waiting");
  });

  it("and nothing in a pipe, in CI, or with --quiet", async () => {
    const silent = [whoami(false), whoami(true, { CI: "true" }), whoami(true, {}, "--quiet")];
    for (const { code, stderr } of await Promise.all(silent)) {
      expect(code).toBe(0);
      expect(stderr).not.toContain("Waiting");
    }
  });
});
