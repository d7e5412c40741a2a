import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { type Broker, createBroker, readConfig } from "../../src/index.ts";
import { openRecords } from "../../src/records/open.ts";
import { startBroker, type TestBroker, writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

describe("code survives failures of a broker", () => {
  let broker: TestBroker;
  let git: PlainGit;
  beforeEach(async () => {
    [broker, git] = await Promise.all([startBroker(), createPlainGit()]);
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close()]);
  });
  const repositories = () => join(broker.folder, "data/code");
  const address = () => `${broker.broker.url}/code/test/ada.git`;

  async function handIn(text: string): Promise<void> {
    const snapshot = await git.snapshot({ a: text, same: "in all" });
    const { code, submission } = await submitWithCode(broker, snapshot);
    await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key: broker.key });
    await until(async () => {
      const answer = await broker.fetch(`/api/v1/submissions/${submission.id}`);
      return ((await answer.json()) as Submission).code?.tag;
    });
  }
  const refs = () => git.must(["ls-remote", address()], { key: broker.key });

  it("a lost disk is rebuilt from records and objects, with the same commits", async () => {
    for (const text of ["1", "2", "3"]) await handIn(text);
    const before = await refs();
    expect(before.split("\n")).toHaveLength(5);
    await broker.restart({}, () => rm(repositories(), { recursive: true }));
    expect(await refs()).toBe(before);
    const clone = join(git.folder, "clone");
    await git.must(["clone", "-q", address(), clone], { key: broker.key });
    expect(await git.must(["fsck", "--strict"], { dir: clone })).toBe("");
    // New submissions continue the history.
    await handIn("4");
    expect((await refs()).split("\n")).toHaveLength(6);
  });

  it("two brokers with separate disks make the same commits", async () => {
    await handIn("1");
    const [first, other] = [`${repositories()}.first`, `${repositories()}.other`];
    const swap = (from: string, to: string) =>
      broker.restart({}, async () => {
        await rename(repositories(), from);
        await rename(to, repositories()).catch(() => {});
      });
    await swap(first, other);
    await handIn("2");
    const there = await refs();
    await swap(other, first);
    expect(await refs()).toBe(there);
    await handIn("3");
    const here = await refs();
    await swap(first, other);
    expect(await refs()).toBe(here);
  });

  it("an update that was cut off is applied again", async () => {
    await handIn("1");
    await handIn("2");
    const before = await refs();
    const ours = join(repositories(), "test/1.git");
    await broker.restart({}, async () => {
      await rm(join(ours, "crowdai.json"));
      await rm(join(ours, "refs"), { recursive: true });
      await mkdir(join(ours, "refs"));
    });
    expect(await refs()).toBe(before);
  });

  it("a repository that was removed while git wrote into it is created again", async () => {
    await handIn("1");
    const before = await refs();
    const ours = join(repositories(), "test/1.git");
    await broker.restart({}, async () => {
      await rm(ours, { recursive: true });
      await mkdir(join(ours, "objects/42"), { recursive: true });
    });
    expect(await refs()).toBe(before);
  });

  it("a push whose client dies halfway leaves nothing behind and can be repeated", async () => {
    const snapshot = await git.snapshot({ a: "1" });
    const { code } = await submitWithCode(broker, snapshot);
    const line = `${"0".repeat(40)} ${snapshot.commit} ${code!.ref}\0 report-status`;
    const dying = request(`${code!.url}/git-receive-pack`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${broker.key}`,
        "content-type": "application/x-git-receive-pack-request",
      },
    });
    dying.on("error", () => {});
    dying.write(`${(line.length + 4).toString(16).padStart(4, "0")}${line}0000PACK`);
    const arriving = () => readdir(join(repositories(), ".arriving"));
    await until(async () => (await arriving()).length > 0);
    dying.destroy();
    await until(async () => (await arriving()).length === 0);
    await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key: broker.key });
  });
});

describe.skipIf(withoutService("postgres"))(
  "code at two brokers that share PostgreSQL and objects but no disk",
  () => {
    it("has the same commits at both, whichever accepted the push", { timeout: 300_000 }, async () => {
      const folder = await mkdtemp(join(tmpdir(), "crowdai-two-"));
      const databaseUrl = await createDatabase();
      const git = await createPlainGit();
      const brokers: Broker[] = [];
      try {
        await writeChallenge(join(folder, "challenges"));
        const config = (name: string) =>
          readConfig(
            { port: 0, data: join(folder, name), challenges: join(folder, "challenges"), withGrader: true },
            { LOG_LEVEL: "silent", DATABASE_URL: databaseUrl },
            folder,
          );
        brokers.push(await createBroker({ config: config("a"), log: pino({ level: "silent" }) }));
        await mkdir(join(folder, "b"));
        await symlink(join(folder, "a/objects"), join(folder, "b/objects"));
        await cp(join(folder, "a/secret"), join(folder, "b/secret"));
        brokers.push(await createBroker({ config: config("b"), log: pino({ level: "silent" }) }));
        const records = await openRecords(config("a"));
        const key = await addParticipant(records, "ada", new Date().toISOString());
        await records.close();

        const url = (index: number) => `${brokers[index % 2]!.url}/code/test/ada.git`;
        const at = (index: number) =>
          ({
            fetch: (path: string, options: { method?: string; body?: unknown } = {}) =>
              fetch(brokers[index % 2]!.url + path, {
                method: options.method ?? "GET",
                headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
                ...(options.body ? { body: JSON.stringify(options.body) } : {}),
              }),
          }) as unknown as TestBroker;
        const ids = await Promise.all(
          [0, 1, 2, 3, 4, 5].map(async (n) => {
            const snapshot = await git.snapshot({ a: String(n), same: "in all" });
            const { code, submission } = await submitWithCode(at(n), snapshot);
            await git.must(["push", "-q", url(n + 1), `${snapshot.commit}:${code!.ref}`], { key });
            return submission.id;
          }),
        );
        for (const id of ids)
          await until(async () => {
            const answer = await at(0).fetch(`/api/v1/submissions/${id}`);
            return ((await answer.json()) as Submission).code?.tag;
          }, 60_000);
        const [here, there] = await Promise.all([0, 1].map((n) => git.must(["ls-remote", url(n)], { key })));
        expect(here).toBe(there);
        expect(here!.split("\n")).toHaveLength(8);
        const clone = join(git.folder, "clone");
        await git.must(["clone", "-q", url(1), clone], { key });
        expect(await git.must(["rev-list", "--count", "HEAD"], { dir: clone })).toBe("6");
        expect(await git.must(["fsck", "--strict"], { dir: clone })).toBe("");
      } finally {
        for (const broker of brokers) await broker.stop();
        await git.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);
