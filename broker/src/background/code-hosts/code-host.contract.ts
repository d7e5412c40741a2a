import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CodeHost, HostedRepository } from "./code-host.ts";

const exec = promisify(execFile);

export interface HostUnderTest {
  host: CodeHost;
  /**
   * The branches and tags that a member of the organization sees at the host, and those that a reader without
   * credentials sees; null when there is nothing to see. Neither is called for a host that serves the local
   * repositories (`outside` false).
   */
  seenByMember(repository: HostedRepository): Promise<Record<string, string> | null>;
  seenByStranger(repository: HostedRepository): Promise<Record<string, string> | null>;
  close(): Promise<void>;
}

const PRIVATE: HostedRepository = { challenge: "iris", participant: "ada", edition: "private" };
const PUBLIC: HostedRepository = { ...PRIVATE, edition: "public" };
const CHALLENGE: HostedRepository = { challenge: "iris", participant: null, edition: "private" };

/** The tests that every code host must pass. `create` returns an empty one. */
export function codeHostContract(name: string, create: () => Promise<HostUnderTest>): void {
  describe(`${name}, as a code host`, () => {
    let under: HostUnderTest;
    let folder: string;
    let bare: string;
    beforeEach(async () => {
      under = await create();
      folder = await mkdtemp(join(tmpdir(), "crowdai-code-host-"));
      bare = join(folder, "ada.git");
      await git("init", "-q", "--bare", "-b", "main", bare);
      await commit("first");
    });
    afterEach(async () => {
      await under.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** Makes a commit on main of the bare repository, tags it and returns its name. */
    async function commit(tag: string): Promise<string> {
      const file = join(folder, "file");
      await writeFile(file, tag);
      const blob = await git("-C", bare, "hash-object", "-w", file);
      const tree = await git("-C", bare, "mktree", { input: `100644 blob ${blob}\tfile\n` });
      const parent = await git("-C", bare, "rev-parse", "-q", "--verify", "main").catch(() => null);
      const made = await git("-C", bare, "commit-tree", tree, "-m", tag, ...(parent ? ["-p", parent] : []));
      await git("-C", bare, "update-ref", "refs/heads/main", made);
      await git("-C", bare, "update-ref", `refs/tags/${tag}`, made);
      await git("-C", bare, "update-ref", `refs/incoming/${tag}`, made);
      return made;
    }

    const outside = () => under.host.outside;

    it("accepts every call twice", async () => {
      const { host } = under;
      for (const repository of [PRIVATE, CHALLENGE, PUBLIC]) {
        for (let again = 0; again < 2; again++) await host.ensure(repository);
        for (let again = 0; again < 2; again++) await host.mirror(repository, bare);
      }
      for (let again = 0; again < 2; again++) await host.publish(PUBLIC);
      for (let again = 0; again < 2; again++) await host.remove(PUBLIC);
    });

    it("accepts every call from several brokers at once", async () => {
      const { host } = under;
      await Promise.all([1, 2, 3].map(() => host.ensure(PRIVATE)));
      await Promise.all([1, 2, 3].map(() => host.mirror(PRIVATE, bare)));
      if (outside()) expect(await under.seenByMember(PRIVATE)).toEqual(await refsOf(bare));
    });

    it("shows exactly the branches and tags, and no other refs", async () => {
      const { host } = under;
      await host.ensure(PRIVATE);
      await host.mirror(PRIVATE, bare);
      if (outside()) expect(await under.seenByMember(PRIVATE)).toEqual(await refsOf(bare));
      await commit("second");
      await git("-C", bare, "update-ref", "-d", "refs/tags/first");
      await host.mirror(PRIVATE, bare);
      if (outside()) expect(await under.seenByMember(PRIVATE)).toEqual(await refsOf(bare));
    });

    it("shows the public nothing before it is published, and only the public edition afterwards", async () => {
      const { host } = under;
      for (const repository of [PRIVATE, PUBLIC]) {
        await host.ensure(repository);
        await host.mirror(repository, bare);
        if (outside()) expect(await under.seenByStranger(repository)).toBeNull();
      }
      await host.publish(PUBLIC);
      if (!outside()) return;
      expect(await under.seenByStranger(PRIVATE)).toBeNull();
      expect(await under.seenByStranger(PUBLIC)).toEqual(await refsOf(bare));
      // A published repository stays visible while it is updated.
      await commit("second");
      await host.ensure(PUBLIC);
      await host.mirror(PUBLIC, bare);
      expect(await under.seenByStranger(PUBLIC)).toEqual(await refsOf(bare));
    });

    it("removes a repository", async () => {
      const { host } = under;
      await host.ensure(PUBLIC);
      await host.mirror(PUBLIC, bare);
      await host.publish(PUBLIC);
      await host.remove(PUBLIC);
      if (outside()) expect(await under.seenByStranger(PUBLIC)).toBeNull();
    });

    it("gives each repository its own address, without credentials", () => {
      const { host } = under;
      const addresses = [PRIVATE, CHALLENGE, { ...PRIVATE, participant: "grace+2" }].map((repository) =>
        host.cloneUrl(repository),
      );
      expect(new Set(addresses).size).toBe(addresses.length);
      for (const address of addresses) {
        expect(new URL(address)).toMatchObject({ username: "", password: "", search: "" });
        expect(address).toMatch(/\.git$/);
      }
      expect(host.name).not.toMatch(/token|secret/i);
    });
  });
}

async function refsOf(bare: string): Promise<Record<string, string>> {
  const lines = await git(
    "-C",
    bare,
    "for-each-ref",
    "--format=%(refname) %(objectname)",
    "refs/heads",
    "refs/tags",
  );
  return Object.fromEntries(lines.split("\n").map((line) => line.split(" ") as [string, string]));
}

type Argument = string | { input: string };

async function git(...given: Argument[]): Promise<string> {
  const args = given.filter((each) => typeof each === "string");
  const input = given.find((each) => typeof each !== "string")?.input;
  const running = exec("git", args, {
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "test",
      GIT_AUTHOR_EMAIL: "test@localhost",
      GIT_COMMITTER_NAME: "test",
      GIT_COMMITTER_EMAIL: "test@localhost",
    },
  });
  // A command that reads no input may have exited already.
  running.child.stdin?.on("error", () => {}).end(input ?? "");
  return (await running).stdout.trim();
}
