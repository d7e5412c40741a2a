import { repositoryPath } from "../../domain/submissions/repository-name.ts";
import type { CodeHost } from "./code-host.ts";

/**
 * The broker's own repositories, served by its routes: stored code is visible at once, to those whom the
 * routes admit.
 */
export function createLocalHost(baseUrl: () => string): CodeHost {
  return {
    name: "this broker",
    outside: false,
    async ensure() {},
    async mirror() {},
    async publish() {},
    async remove() {},
    cloneUrl: ({ challenge, participant }) => baseUrl() + repositoryPath(challenge, participant),
    pageUrl: () => null,
    forkUrl: () => null,
  };
}
