import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createPause, type Host, refused, statusOf, unreachable } from "./host-errors.ts";
import { hostedName, MARK } from "./hosted-repository-name.ts";
import { pushMirror } from "./push-mirror.ts";

/** Asks the host for something, described by `doing` for errors, and reads the answer. */
export type Ask = <T>(doing: string, call: () => Promise<unknown>, schema: z.ZodType<T>) => Promise<T>;

/** What is read of a repository, whatever else its host says of it. */
export interface FoundRepository {
  description?: string | null | undefined;
}

/** A host's own calls and rules. Names are those of repositories in the one place that the broker has there. */
export interface HostDriver<R extends FoundRepository> {
  host: Host;
  /** For the start message. */
  name: string;
  /** What the host calls a repository. */
  word: string;
  /** Whom git says it is, beside the token. */
  user: string;
  /** Error of a call, in our words. */
  trouble(doing: string, thrown: unknown): CrowdaiError;
  schema: z.ZodType<R>;
  read(name: string): Promise<unknown>;
  /** Whether this is it, and not one that was renamed or moved and answers to its old name. */
  answersTo(found: R, name: string): boolean;
  /** Makes it, private. */
  make(ask: Ask, repository: HostedRepository, name: string): Promise<R>;
  /** The status of an answer to `make` that may mean that it is there already. */
  thereStatus: number;
  isPrivate(found: R): boolean;
  isPublic(found: R): boolean;
  show(name: string, visibility: "public" | "private"): Promise<unknown>;
  /** Throws what an operator has to do before anything can be pushed. */
  requireWritable(found: R, name: string): void;
  /** Sees to it that nothing of what is pushed is run. */
  requireQuiet(ask: Ask, found: R, name: string): Promise<void>;
  isGoing(found: R): boolean;
  remove(name: string): Promise<unknown>;
  pageUrl(repository: HostedRepository): string;
  forkUrl(repository: HostedRepository): string;
}

/** Repositories at a host outside, by its driver: what is the same of all of them. */
export function hostedRepositories<R extends FoundRepository>(
  driver: HostDriver<R>,
  { git, pushMs }: { git: Git; pushMs?: number | undefined },
): CodeHost {
  const { host, schema, word } = driver;
  const pause = createPause(host);
  const placed = (name: string) => `${host.place}/${name}`;

  const ask: Ask = async (doing, call, shape) => {
    const answer = await pause.keep(() =>
      call().catch((thrown) => {
        throw driver.trouble(doing, thrown);
      }),
    );
    const read = shape.safeParse(answer);
    if (read.success) return read.data;
    throw unreachable(
      host,
      "answered in a form that is not its own; something in between may have answered.",
    );
  };

  async function find(name: string): Promise<R | null> {
    try {
      const found = await ask(`read ${name}`, () => driver.read(name), schema);
      return driver.answersTo(found, name) ? found : null;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async function make(repository: HostedRepository, name: string): Promise<R> {
    try {
      return await driver.make(ask, repository, name);
    } catch (error) {
      // Another broker may have made it a moment ago.
      const there = statusOf(error) === driver.thereStatus ? await find(name) : null;
      if (there) return there;
      throw error;
    }
  }

  function requireOurs({ description }: R, name: string): void {
    if (description?.includes(MARK)) return;
    throw refused(
      host,
      `has a ${word} ${placed(name)} that the broker did not make.`,
      `Rename it; or, if it is the broker's, put "${MARK}" into its description.`,
    );
  }

  const show = (name: string, visibility: "public" | "private") =>
    ask(`make ${name} ${visibility}`, () => driver.show(name, visibility), schema);

  return {
    name: driver.name,
    outside: true,
    async ensure(repository) {
      const name = hostedName(repository);
      const found = (await find(name)) ?? (await make(repository, name));
      requireOurs(found, name);
      driver.requireWritable(found, name);
      if (repository.edition === "private" && !driver.isPrivate(found)) await show(name, "private");
      await driver.requireQuiet(ask, found, name);
    },
    mirror: (repository, path) =>
      pause.keep(() =>
        pushMirror({
          git,
          host,
          user: driver.user,
          url: `${driver.pageUrl(repository)}.git`,
          path,
          longestMs: pushMs,
        }),
      ),
    async publish(repository) {
      if (repository.edition !== "public")
        throw new CrowdaiError("unexpected", "Private code is not published.");
      const name = hostedName(repository);
      const found = await find(name);
      if (!found) throw unreachable(host, `no longer has ${placed(name)}; it is made again.`);
      requireOurs(found, name);
      if (!driver.isPublic(found)) await show(name, "public");
    },
    async remove(repository) {
      const name = hostedName(repository);
      const found = await find(name);
      if (!found || driver.isGoing(found)) return;
      requireOurs(found, name);
      await ask(`remove ${name}`, () => driver.remove(name), z.unknown()).catch((error) => {
        if (statusOf(error) !== 404) throw error;
      });
    },
    cloneUrl: (repository) => `${driver.pageUrl(repository)}.git`,
    pageUrl: driver.pageUrl,
    forkUrl: driver.forkUrl,
  };
}
