import { readdir, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { backoff } from "../../src/async/retry.ts";
import { createHttpClient } from "../../src/client/http/http-client.ts";
import { digestFile, inspectFile } from "../../src/client/upload/byte-source.ts";
import { sendParts } from "../../src/client/upload/upload.ts";
import { configFolder } from "../../src/config/config-folder.ts";
import { cleanEnvironment } from "../../src/git/clean-environment.ts";
import { useCommandLine } from "../command-line.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("32: the key is sent to the broker alone", () => {
  it("and never with the parts of an upload to the object store", async () => {
    const seen: (string | undefined)[] = [];
    await using store = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers.cookie);
      request.resume().on("end", () => response.end());
    });
    const path = join(cli.folder, "p.csv");
    await writeFile(path, "id\n1\n");
    const source = await digestFile(await inspectFile(path));
    const url = `${store.url}/part?signature=1`;
    const parts = [{ number: 1, offset: 0, size: source.size, method: "PUT" as const, url, headers: {} }];
    await sendParts({ parts, expires_at: "" }, source, { broker: new URL(cli.broker.url) });
    expect(seen).toEqual([undefined, undefined]);
  });
});

describe("50: retries", () => {
  it("wait for a random time up to a limit that doubles and is capped", () => {
    for (const [attempt, most] of [
      [0, 250],
      [2, 1_000],
      [20, 5_000],
    ] as const) {
      const waits = Array.from({ length: 200 }, () => backoff(attempt));
      expect(Math.max(...waits)).toBeLessThanOrEqual(most);
      // Full jitter: from nothing on, and no two commands at the same time.
      expect(Math.min(...waits)).toBeLessThan(most / 4);
      expect(Math.max(...waits)).toBeGreaterThan(most / 2);
    }
  });

  it.each([400, 401, 403, 404, 409, 410, 413, 422])("stop at HTTP %i", async (status) => {
    let asked = 0;
    await using server = await serve((_, response) => void response.writeHead(status).end(String(asked++)));
    const client = createHttpClient({ broker: server.url, client: "test" });
    await expect(client.get("/api/v1/me", z.unknown())).rejects.toThrow();
    // The second one is the question whether this is a broker.
    expect(asked).toBeLessThanOrEqual(2);
  });

  it.each([408, 425, 429, 503])("continue after HTTP %i", async (status) => {
    let asked = 0;
    await using server = await serve((_, response) => {
      if (asked++ === 0) response.writeHead(status, { "retry-after": "0" }).end();
      else response.setHeader("content-type", "application/json").end('{"n":2}');
    });
    const client = createHttpClient({ broker: server.url, client: "test" });
    expect(await client.get("/api/v1/me", z.unknown())).toEqual({ n: 2 });
  });
});

describe("51: what is not idempotent", () => {
  it("is sent once; a submission is repeated with the id that it has from the start", async () => {
    let asked = 0;
    await using server = await serve((request) => {
      asked++;
      request.socket.destroy();
    });
    const client = createHttpClient({ broker: server.url, client: "test" });
    await expect(client.post("/api/v1/agreements/mit", {}, z.unknown())).rejects.toThrow();
    expect(asked).toBe(1);

    const ids: string[] = [];
    cli.broker.intercept = (what, message) => {
      if (what !== "submit") return false;
      ids.push((message as { id: string }).id);
      // The first answer is lost.
      if (ids.length === 1) void cli.broker.stop().then(cli.broker.start);
      return ids.length === 1;
    };
    expect((await cli.run(["submit", "--json", "[1]"])).code).toBe(0);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(1);
    expect(cli.submissions()).toHaveLength(1);
  });
});

describe("36: folders", () => {
  it("follow XDG and the operating system, and CROWDAI_CONFIG_DIR moves all of it", () => {
    const at = (env: Record<string, string>, platform: NodeJS.Platform) => configFolder(env, platform).path;
    expect(at({ HOME: "/h" }, "linux")).toBe("/h/.config/crowdai");
    expect(at({ HOME: "/h", XDG_CONFIG_HOME: "/x" }, "linux")).toBe("/x/crowdai");
    expect(at({ HOME: "/h" }, "darwin")).toBe("/h/Library/Application Support/crowdai");
    expect(at({ HOME: "/h", XDG_CONFIG_HOME: "/x", CROWDAI_CONFIG_DIR: "/c" }, "linux")).toBe("/c");
  });
});

describe("58 to 60: nothing happens behind the user's back", () => {
  it("only the broker is contacted, and no file appears outside of what the command is for", async () => {
    await using elsewhere = await serve((_, response) => void response.end());
    const asked: string[] = [];
    const { channel } = await import("node:diagnostics_channel");
    const note = (message: unknown) => void asked.push(new URL((message as { url: string }).url).origin);
    channel("crowdai:request").subscribe(note);
    const env = {
      HOME: cli.folder,
      CROWDAI_CONFIG_DIR: join(cli.folder, ".crowdai"),
      npm_config_registry: elsewhere.url,
    };
    for (const args of [
      ["completion", "bash"],
      ["submit", "--json", "[1]"],
      ["submissions"],
      ["config"],
      ["help"],
    ])
      expect((await cli.run(args, { env })).code).toBe(0);
    channel("crowdai:request").unsubscribe(note);
    expect(new Set(asked)).toEqual(new Set([cli.broker.url]));
    expect((await readdir(cli.folder)).filter((name) => name !== ".crowdai")).toEqual([]);
  });
});

describe("64: git metadata", () => {
  it("is read with optional locks off, without the user's settings and without questions", () => {
    expect(cleanEnvironment("/repository", { PATH: "/usr/bin" })).toMatchObject({
      GIT_OPTIONAL_LOCKS: "0",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
    });
  });
});
