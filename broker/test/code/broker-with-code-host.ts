import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { CodePlace } from "@crowdai/shared";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRefs } from "../../src/background/code-hosts/testing/git-backend.ts";
import type { LocalHost } from "../../src/background/code-hosts/testing/serve-host.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { closeChallenge } from "../../src/domain/publishing/close-challenge.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { type Author, agreed, author } from "./code-author.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

const LONG = 60_000;

export interface TestCodeHost {
  local: LocalHost;
  env: Record<string, string>;
  /** Returns the page of a repository. */
  page(name: string): string;
  fork(name: string): string;
  /** Returns the names of all repositories, and whether they are public. */
  seen(): Record<string, boolean>;
}

/** Tests a broker that mirrors code to an external host. */
export function brokerWithCodeHost(name: string, start: () => Promise<TestCodeHost>): void {
  describe(`a broker that mirrors code to ${name}`, { timeout: 180_000 }, () => {
    let outside: TestCodeHost;
    let broker: TestBroker;
    let git: PlainGit;
    let ada: Author;
    let grace: Author;
    let shift: number;
    let log: string;
    beforeEach(async () => {
      shift = 0;
      log = "";
      const stream = new Writable({
        write(chunk, _encoding, done) {
          log += chunk;
          done();
        },
      });
      outside = await start();
      [broker, git] = await Promise.all([
        startBroker({
          env: outside.env,
          clock: () => new Date(Date.now() + shift),
          log: pino({ level: "debug" }, stream),
          pacedCodeHost: false,
        }),
        createPlainGit(),
      ]);
      ada = author(broker, git);
      grace = author(broker, git, await broker.addParticipant("grace"));
      await Promise.all([agreed(broker, 1), agreed(broker, 2)]);
    });
    afterEach(async () => {
      await broker.close();
      await Promise.all([git.close(), outside.local.close()]);
      expect(outside.local.wrong).toEqual([]);
    });

    /** Everything that the broker wrote, except what participants submitted. */
    const written = async () => {
      const data = join(broker.folder, "data");
      const files = (await readdir(data)).filter((name) => /^(?:records|broker)/.test(name));
      expect(files).toContain("records.sqlite");
      const texts = await Promise.all(files.map((name) => readFile(join(data, name), "latin1")));
      return texts.join("\n") + log;
    };
    const member = () => `Authorization: Basic ${Buffer.from(`m:${outside.local.token}`).toString("base64")}`;
    const seenBy = (who: "member" | "stranger", name: string) =>
      readRefs(`${outside.page(name)}.git`, who === "member" ? member() : null);
    const untilTagged = (name: string, id: string, who: "member" | "stranger" = "member") =>
      until(async () => (await seenBy(who, name))?.[`refs/tags/submission-${id}`], LONG);
    const problems = async () => {
      const rows = await broker.records.db.selectFrom("code_repositories").select("problem").execute();
      return rows.map(({ problem }) => problem ?? "");
    };
    const gone = async () => (await problems()).every((problem) => problem === "");
    const clone = async (address: string, key?: string) => {
      const folder = join(git.folder, `clone-${Math.random().toString(36).slice(2)}`);
      const ran = await git.run(["clone", "-q", "--recurse-submodules", address, folder], { key });
      expect(ran.code, ran.stderr).toBe(0);
      return { must: (...args: string[]) => git.must(args, { dir: folder }) };
    };

    it("mirrors it privately while the challenge runs, and publishes the selected code after the close", async () => {
      const first = await ada.handIn({ "a.py": "1\n" }, { score: 0.7 });
      const second = await ada.handIn({ "a.py": "2\n" });
      const hers = await grace.handIn({ "g.py": "1\n" });
      const commit = await untilTagged("test.ada.private", second);
      await untilTagged("test.grace.private", hers);
      const own = await git.must(
        ["ls-remote", `${broker.broker.url}/code/test/ada.git`, `refs/tags/submission-${second}`],
        { key: ada.key },
      );
      expect(own.split("\t")[0]).toBe(commit);
      const all = ["test.ada.private", "test.grace.private", "test.private"];
      await until(async () => Object.keys(outside.seen()).length === 3, LONG);
      expect(outside.seen()).toEqual(Object.fromEntries(all.map((name) => [name, false])));
      for (const name of all) expect(await seenBy("stranger", name)).toBeNull();

      // The organizer's clone of everything, from the host and from the broker, each with its own
      // credentials.
      await until(gone, LONG);
      const whole = await clone(`${outside.page("test.private")}.git`, outside.local.token);
      expect(await whole.must("config", "-f", ".gitmodules", "submodule.ada.url")).toBe(
        "../test.ada.private.git",
      );
      expect(await whole.must("-C", "ada", "show", "HEAD:a.py")).toBe("2");
      const organizer = await addOrganizer(broker.records, "olga", ["test"], new Date().toISOString());
      const fromBroker = await clone(`${broker.broker.url}/code/test.git`, organizer);
      expect(await fromBroker.must("-C", "grace", "show", "HEAD:g.py")).toBe("1");

      await ada.post(`/api/v1/submissions/${first}/publish`);
      const args = ["--data", join(broker.folder, "data"), "--challenges", join(broker.folder, "challenges")];
      const closed = await runCommand(broker.folder, ["challenge", "close", "test", "--force", ...args], {
        env: outside.env,
      });
      expect(closed).toMatchObject({ code: 0 });
      expect(closed.stdout).toContain(`git clone --recurse-submodules ${outside.page("test")}.git`);
      await untilTagged("test.ada", first, "stranger");
      await until(async () => outside.seen().test, LONG);
      expect(outside.seen()).toEqual({
        "test.ada": true,
        test: true,
        ...Object.fromEntries(all.map((name) => [name, false])),
      });
      const public_ = await clone(`${outside.page("test")}.git`);
      expect(await public_.must("-C", "ada", "tag")).toBe(`submission-${first}`);
      expect(await public_.must("-C", "ada", "log", "--format=%s")).not.toContain("\n");

      const place = (await (await broker.fetch(`/api/v1/submissions/${first}/code`)).json()) as CodePlace;
      expect(place).toMatchObject({
        host: outside.env.CODE_HOST,
        clone_url: `${outside.page("test.ada")}.git`,
        page_url: outside.page("test.ada"),
        fork_url: outside.fork("test.ada"),
      });
      const kept = (await (await broker.fetch(`/api/v1/submissions/${second}/code`)).json()) as CodePlace;
      expect(kept).toMatchObject({ host: "local", clone_url: `${broker.broker.url}/code/test/ada.git` });
    });

    it("mirrors everything again when the host is configured after the close", async () => {
      const other = await start();
      const first = await ada.handIn({ "a.py": "1\n" });
      await ada.post(`/api/v1/submissions/${first}/publish`);
      await closeChallenge(broker.records, null, "test", { force: true, now: new Date() });
      await untilTagged("test.ada", first, "stranger");
      await until(async () => outside.seen().test, LONG);
      await broker.restart(other.env);
      const there = async () => Object.entries(other.seen()).sort();
      await until(async () => (await there()).length === 4 && other.seen().test, LONG);
      expect(Object.fromEntries(await there())).toEqual({
        test: true,
        "test.ada": true,
        "test.ada.private": false,
        "test.private": false,
      });
      await until(
        async () => (await readRefs(`${other.page("test.ada")}.git`, null))?.["refs/heads/main"],
        LONG,
      );
      // The broker goes on serving everything under its own addresses, with a host outside and without.
      for (const env of [other.env, {}]) {
        await broker.restart(env);
        const mine = await clone(`${broker.broker.url}/code/test.git`);
        expect(await mine.must("-C", "ada", "tag")).toBe(`submission-${first}`);
      }
      await other.local.close();
      expect(other.local.wrong).toEqual([]);
    });

    it("sends no request before the time that a host names, continues then, and does not delay grades", async () => {
      for (const [status, seconds] of [
        [503, 3],
        [429, 4],
      ] as const) {
        const started = performance.now();
        const before = outside.local.seen.length;
        outside.local.trouble = {
          status,
          body: { message: "Later." },
          headers: { "retry-after": String(seconds) },
        };
        const id = await ada.handIn({ "a.py": `${status}\n` });
        expect(await ada.view(id)).toMatchObject({ state: "graded" });
        await until(async () => outside.local.seen.length > before, LONG);
        outside.local.trouble = "none";
        // This one response delays all repositories.
        await until(async () => outside.local.seen.length > before + 1, LONG);
        expect(performance.now() - started).toBeGreaterThan(seconds * 1000);
        expect(log).toContain(`asks to wait ${seconds} s (${status}`);
        await untilTagged("test.ada.private", id);
        await until(gone, LONG);
      }
    });

    it("waits for a host that is down for an hour or rejects the token, and does not delay grades", async () => {
      outside.local.trouble = "down";
      const first = await ada.handIn({ "a.py": "1\n" });
      expect(await ada.view(first)).toMatchObject({ state: "graded" });
      await until(
        async () => (await problems()).every((each) => each.startsWith("code_host_unreachable")),
        LONG,
      );
      for (let tries = 0; tries < 2; tries++) {
        const before = outside.local.seen.length;
        shift += 30 * 60_000;
        await until(async () => outside.local.seen.length > before, LONG);
      }
      // Also without code.
      const { submission } = await submitWithCode(broker, null);
      await until(async () => (await ada.view(submission.id)).state === "graded");
      outside.local.trouble = "none";
      shift += 16 * 60_000;
      await untilTagged("test.ada.private", first);
      await until(gone, LONG);

      outside.local.trouble = "forgetful";
      const second = await ada.handIn({ "a.py": "2\n" });
      expect(await ada.view(second)).toMatchObject({ state: "graded" });
      const named = outside.env.CODE_HOST === "github" ? "GITHUB_TOKEN" : "GITLAB_TOKEN";
      await until(async () => (await problems()).every((each) => each.includes(named)), LONG);
      expect((await problems()).every((each) => each.startsWith("code_host_refused"))).toBe(true);
      outside.local.trouble = "none";
      shift += 16 * 60_000;
      await untilTagged("test.ada.private", second);
      await until(gone, LONG);
      expect(log).toContain("code host update failed, retrying later");
      const all = await written();
      for (const secret of [outside.local.token, member().slice("Authorization: Basic ".length)])
        expect(all).not.toContain(secret);
    });
  });
}
