import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Limits, Submission } from "@crowdai/shared";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeMediaChallenge } from "../../broker/test/media/media-broker.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { Challenge } from "../../cli/src/index.ts";
import { makeProject, type Project } from "../../cli/test/project.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { root } from "../../scripts/lib/root.ts";
import { freePorts } from "../../scripts/services/daemon.ts";
import { type Nginx, startNginx } from "../../scripts/services/nginx.ts";
import { missing } from "../required-programs.ts";

const MB = 1024 * 1024;
/** nginx's own limit is 1 MB. */
const LARGE = 2 * MB;
const NO_SLOT = "The submission was cancelled and uses no slot.";

describe.skipIf(missing("nginx", "git", "python3"))("behind nginx", () => {
  let folder: string;
  let nginx: Nginx;
  let project: Project;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-proxy-"));
  });
  beforeEach(() => {
    project = makeProject();
  });
  afterEach(() => project[Symbol.asyncDispose]());
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function start(port: number): Promise<TestBroker> {
    const config = (id: string, capture: string) => ({
      id,
      code: { capture },
      rounds: [{ id: "1", limit: { count: 2, per: "day" }, parallel_limit: 2 }],
    });
    return startBroker({
      port,
      env: { PUBLIC_URL: nginx.urls[0]!, PATH: process.env.PATH ?? "" },
      challenges: [],
      prepare: async (at) => {
        await writeMediaChallenge(join(at, "challenges"), config("optional", "optional"));
        await writeMediaChallenge(join(at, "challenges"), config("required", "required"));
      },
    });
  }

  async function run(test: TestBroker, challenge: string, ...args: string[]) {
    const ran = await runCli([...args, "--format", "json"], {
      cwd: project.folder,
      env: {
        ...project.env,
        CROWDAI_BROKER: test.broker.url,
        CROWDAI_API_KEY: test.key,
        CROWDAI_CHALLENGE: challenge,
      },
    });
    return { ...ran, document: JSON.parse(ran.stdout) };
  }
  const limits = async (test: TestBroker, challenge: string) =>
    (await run(test, challenge, "limits")).document.limits as Limits;

  describe("with its own settings", () => {
    let test: TestBroker;
    /** Empty files, each of which makes nginx answer uploads itself. */
    let switches: string;
    /** Id of a submission whose code the broker has. */
    let withCode: string | undefined;
    beforeAll(async () => {
      const port = await freePorts();
      switches = await mkdtemp(join(folder, "switches-"));
      await chmod(folder, 0o711);
      await chmod(switches, 0o755);
      nginx = await startNginx(folder, [
        `location / { proxy_pass http://127.0.0.1:${port}; }
         location /objects/ {
           if (-f ${switches}/forbidden) { return 403; }
           if (-f ${switches}/empty) { return 204; }
           default_type text/html;
           if (-f ${switches}/sign-in) { return 200 "<html>Sign in to this network</html>"; }
           proxy_pass http://127.0.0.1:${port};
         }
         location /code/ {
           default_type text/html;
           if (-f ${switches}/no-git) { return 404; }
           if (-f ${switches}/git-page) { return 200 "<html>Sign in to this network</html>"; }
           proxy_pass http://127.0.0.1:${port};
         }`,
      ]);
      test = await start(port);
    });
    afterAll(async () => {
      await test?.close();
      await nginx?.stop();
    });

    it("blames nginx for a file above its limit, again and again, and the slot stays free", async () => {
      project.write("large.csv", randomBytes(LARGE));
      for (let i = 0; i < 3; i++) {
        const { code, document } = await run(test, "optional", "submit", "large.csv", "--no-code");
        expect(document.error).toMatchObject({
          code: "proxy_refused",
          fault: "platform",
          details: { status: 413, proxy: expect.stringMatching(/^nginx\//) },
        });
        expect(document.error.message).toMatch(
          /^A proxy \(nginx\/[\d.]+\) answered in place of the object store at 127\.0\.0\.1:\d+ with status 413 and a web page: /,
        );
        expect(document.error.message).toContain(NO_SLOT);
        expect(code).toBe(5);
      }
      expect(await limits(test, "optional")).toMatchObject({ used: 0, running: 0, uploading: 0 });
      await using challenge = await Challenge.open("optional", { broker: test.broker.url, apiKey: test.key });
      const refused = challenge.submitFile(join(project.folder, "large.csv"));
      await expect(refused).rejects.toMatchObject({ code: "proxy_refused", exitCode: 5 });
    });

    it.each([
      ["forbidden", /with status 403 and a web page/],
      ["sign-in", /with a web page/],
      ["empty", /: it confirmed the upload, but the bytes did not arrive/],
    ])("tells its page (%s) from the store's word", async (name, message) => {
      project.write("small.csv", randomBytes(100));
      await writeFile(join(switches, name), "");
      const { code, document } = await run(test, "optional", "submit", "small.csv", "--no-code");
      await rm(join(switches, name));
      expect([code, document.error.code]).toEqual([5, "proxy_refused"]);
      expect(document.error.message).toMatch(message);
      expect(await limits(test, "optional")).toMatchObject({ used: 0, running: 0 });
    });

    it("grades without code above its limit, and names it as the reason", async () => {
      project.write("weights.bin", randomBytes(LARGE));
      const ran = await run(test, "optional", "submit", "--json", "{}", "--code");
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.stderr).toMatch(
        /A proxy refused the code of \S+: a proxy answered in place of the git server with status 413/,
      );
    });

    it("ends a submission whose required code is above its limit, and the slot is free", async () => {
      project.write("weights.bin", randomBytes(LARGE));
      for (const wait of [[], ["--no-wait"]]) {
        const ran = await run(test, "required", "submit", "--json", "{}", ...wait);
        expect([ran.code, ran.document.error?.code], ran.stdout).toEqual([5, "proxy_refused"]);
        expect(ran.document.error.message).toContain(NO_SLOT);
      }
      expect(await limits(test, "required")).toMatchObject({ used: 0, running: 0 });
    });

    it.each([
      ["no-git", /answered in place of the git server with status 404/],
      ["git-page", /answered in place of the git server/],
    ])("tells its page (%s) from the git server's word", async (name, message) => {
      project.write("train.py", "print(1)\n");
      withCode ??= (await run(test, "optional", "submit", "--json", "{}", "--code")).document.id;
      await writeFile(join(switches, name), "");
      project.write("train.py", `print("${name}")\n`);
      const ran = [
        await run(test, "required", "submit", "--json", "{}"),
        await run(test, "optional", "clone", withCode!, "cloned"),
      ];
      await rm(join(switches, name));
      for (const { code, document } of ran) {
        expect([code, document.error?.code], document.error?.message).toEqual([5, "proxy_refused"]);
        expect(document.error.message).toMatch(message);
      }
      expect(await limits(test, "required")).toMatchObject({ used: 0, running: 0 });
    });
  });

  describe("with the settings of the documentation", () => {
    let test: TestBroker;
    beforeAll(async () => {
      const port = await freePorts();
      const docs = await readFile(join(root, "docs/operating.md"), "utf8");
      const [location] = /location \/ \{[^}]*\}/.exec(docs)!;
      nginx = await startNginx(folder, [location.replace("127.0.0.1:8420", `127.0.0.1:${port}`)]);
      test = await start(port);
    });
    afterAll(async () => {
      await test?.close();
      await nginx?.stop();
    });

    it("takes large files, large code and sockets", async () => {
      project.write("large.csv", randomBytes(9 * MB));
      project.write("weights.bin", randomBytes(LARGE));
      const ran = await run(test, "required", "submit", "large.csv");
      expect(ran.code, ran.stderr).toBe(0);
      const submission = ran.document.submission as Submission;
      expect([submission.state, submission.code?.state]).toEqual(["graded", "stored"]);
      const client = await test.connect({ challenge: "optional" });
      expect(client.socket.io.engine.transport.name).toBe("websocket");
      client.socket.disconnect();
    });
  });
});
