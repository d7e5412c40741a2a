import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { expect, it } from "vitest";
import { writeMediaChallenge } from "../../broker/test/media/media-broker.ts";
import { startBroker } from "../../broker/test/support/test-broker.ts";
import { makeProject } from "../../cli/test/project.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { root } from "../../scripts/lib/root.ts";
import { startCaddy } from "../../scripts/services/caddy.ts";
import { freePorts } from "../../scripts/services/daemon.ts";
import { missing } from "../required-programs.ts";

it.skipIf(missing("caddy", "git", "python3")).each([
  ["at the root of its host", "crowdai.example.org", ""],
  ["below a path of its host", "example.org", "/crowdai"],
])("a broker %s works behind Caddy with the settings of the documentation", async (_, host, path) => {
  const docs = await readFile(join(root, "docs/operating.md"), "utf8");
  const [site] = new RegExp(`^ +${host} \\{[^}]*\\}`, "m").exec(docs)!;
  const [port, public_] = [await freePorts(), await freePorts()];
  const url = `http://127.0.0.1:${public_}`;
  const folder = await mkdtemp(join(tmpdir(), "crowdai-caddy-"));
  const caddy = await startCaddy(folder, site.replace(host, url).replace("8420", String(port)), url);
  const test = await startBroker({
    port,
    env: { PUBLIC_URL: url + path, PATH: process.env.PATH ?? "" },
    challenges: [],
    prepare: (at) =>
      writeMediaChallenge(join(at, "challenges"), { id: "test", code: { capture: "required" } }),
  });
  await using project = makeProject();
  project.write("large.csv", randomBytes(2 * 1024 * 1024));
  project.write("weights.bin", randomBytes(2 * 1024 * 1024));
  const env = { ...project.env, CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key };
  try {
    const args = ["submit", "large.csv", "--challenge", "test", "--format", "json"];
    const ran = await runCli(args, { cwd: project.folder, env });
    expect(ran.code, ran.stderr).toBe(0);
    const submission = JSON.parse(ran.stdout).submission as Submission;
    expect([submission.state, submission.code?.state]).toEqual(["graded", "stored"]);
    const client = await test.connect({ challenge: "test" });
    expect(client.socket.io.engine.transport.name).toBe("websocket");
    client.socket.disconnect();
    expect((await fetch(url + path)).headers.get("content-type")).toContain("text/html");
  } finally {
    await test.close();
    await caddy.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
