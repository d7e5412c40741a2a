import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createPause, type Host, refused, statusOf, unreachable } from "./host-errors.ts";
import { hostedName, REPOSITORY_MARK } from "./hosted-repository-name.ts";
import { pushMirror } from "./push-mirror.ts";

/** Sends a request to the host and reads the response. `doing` describes the request for errors. */
export type Ask = <T>(doing: string, call: () => Promise<unknown>, schema: z.ZodType<T>) => Promise<T>;

/** The part of a repository that is read at every host. */
export interface FoundRepository {
  description?: string | null | undefined;
}

/**
 * A host's own calls and rules. Names are those of repositories in the namespace that the broker has there.
 */
export interface HostDriver<R extends FoundRepository> {
  host: Host;
  /** Name for the start message. */
  name: string;
  /** The host's term for a repository. */
  noun: string;
  /** The user name that git sends with the token. */
  user: string;
  /** Returns the broker's error for a failed call. */
  toError(doing: string, thrown: unknown): CrowdaiError;
  schema: z.ZodType<R>;
  read(name: string): Promise<unknown>;
  /**
   * Whether this is the repository itself, and not a renamed or moved one that still answers to its old name.
   */
  answersTo(found: R, name: string): boolean;
  /** Creates the repository, private. */
  make(ask: Ask, repository: HostedRepository, name: string): Promise<R>;
  /** The status with which `make` fails when the repository may exist already. */
  existsStatus: number;
  isPrivate(found: R): boolean;
  isPublic(found: R): boolean;
  show(name: string, visibility: "public" | "private"): Promise<unknown>;
  /** Throws with what an operator must do before a push can succeed. */
  requireWritable(found: R, name: string): void;
  /** Makes sure that the host runs none of the pushed code. */
  disableCi(ask: Ask, found: R, name: string): Promise<void>;
  isBeingDeleted(found: R): boolean;
  remove(name: string): Promise<unknown>;
  pageUrl(repository: HostedRepository): string;
  forkUrl(repository: HostedRepository): string;
}

/** Keeps repositories at an external host through its driver: the part that is the same for every host. */
export function hostedRepositories<R extends FoundRepository>(
  driver: HostDriver<R>,
  { git, pushMs }: { git: Git; pushMs?: number | undefined },
): CodeHost {
  const { host, schema, noun } = driver;
  const pause = createPause(host);
  const placed = (name: string) => `${host.place}/${name}`;

  const ask: Ask = async (doing, call, shape) => {
    const answer = await pause.keep(() =>
      call().catch((thrown) => {
        throw driver.toError(doing, thrown);
      }),
    );
    const read = shape.safeParse(answer);
    if (read.success) return read.data;
    throw unreachable(host, "sent an unexpected response; a proxy in between may have answered.");
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
      // Another broker may have just created it.
      const existing = statusOf(error) === driver.existsStatus ? await find(name) : null;
      if (existing) return existing;
      throw error;
    }
  }

  function requireOurs({ description }: R, name: string): void {
    if (description?.includes(REPOSITORY_MARK)) return;
    throw refused(
      host,
      `has a ${noun} ${placed(name)} that the broker did not create.`,
      `Rename it, or, if it is the broker's, add "${REPOSITORY_MARK}" to its description.`,
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
      await driver.disableCi(ask, found, name);
    },
    mirror: (repository, path, signal) =>
      pause.keep(() =>
        pushMirror({
          git,
          host,
          user: driver.user,
          url: `${driver.pageUrl(repository)}.git`,
          path,
          timeoutMs: pushMs,
          signal,
        }),
      ),
    async publish(repository) {
      if (repository.edition !== "public")
        throw new CrowdaiError("unexpected", "Private code cannot be published.");
      const name = hostedName(repository);
      const found = await find(name);
      if (!found) throw unreachable(host, `no longer has ${placed(name)}; the broker creates it again.`);
      requireOurs(found, name);
      if (!driver.isPublic(found)) await show(name, "public");
    },
    async remove(repository) {
      const name = hostedName(repository);
      const found = await find(name);
      if (!found || driver.isBeingDeleted(found)) return;
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
