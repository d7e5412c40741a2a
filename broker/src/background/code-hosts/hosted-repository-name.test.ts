import { describe, expect, it } from "vitest";
import type { HostedRepository } from "./code-host.ts";
import { hostedName, relativeUrl } from "./hosted-repository-name.ts";

const name = (
  challenge: string,
  participant: string | null,
  edition: HostedRepository["edition"] = "public",
) => hostedName({ challenge, participant, edition });
// GitHub's rule for a repository and GitLab's rule for a project's path, combined.
const BOTH = /^(?=.{1,99}$)[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

describe("the name of a repository at a host", () => {
  it("consists of the challenge and the participant when these are plain", () => {
    expect([
      name("iris", null),
      name("iris", "ada"),
      name("iris", null, "private"),
      name("iris", "ada", "private"),
    ]).toEqual(["iris", "iris.ada", "iris.private", "iris.ada.private"]);
  });

  it("is valid at both hosts and unique", () => {
    const challenges = [
      "iris",
      "iris-2",
      "IRIS",
      "Iris",
      "a.b",
      "a-b",
      "a--b",
      "a",
      "new",
      "tree",
      "x".repeat(100),
      "x1234abcd",
    ];
    const participants = [
      null,
      "ada",
      "private",
      "Private",
      "git",
      "wiki",
      "atom",
      "a.b",
      "a-b",
      "a__b",
      "ada-",
      "ada.private",
    ];
    participants.push(
      "x1234abcd",
      "Jose-Team+12",
      "participant+7",
      "y".repeat(60),
      `${"y".repeat(40)}+1234567890123456`,
    );
    const names = challenges.flatMap((challenge) =>
      participants.flatMap((participant) => [
        name(challenge, participant, "public"),
        name(challenge, participant, "private"),
      ]),
    );
    expect(names.filter((each) => !BOTH.test(each) || /\.(?:git|atom|wiki)$/i.test(each))).toEqual([]);
    expect(new Set(names.map((each) => each.toLowerCase())).size).toBe(names.length);
  });

  it("keeps submodules next to each other", () => {
    expect(relativeUrl("https://github.com/acme/iris.git", "https://github.com/acme/iris.ada.git")).toBe(
      "../iris.ada.git",
    );
    const elsewhere = "https://example.org/iris.ada.git";
    expect(relativeUrl("https://github.com/acme/iris.git", elsewhere)).toBe(elsewhere);
  });
});
