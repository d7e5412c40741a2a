import { describe, expect, it } from "vitest";
import { finalCommitText, objectName } from "./final-commit.ts";

const TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const snapshot = (message: string, author = "Ada <ada@example.org> 1700000000 +0100") =>
  `tree ${TREE}\nauthor ${author}\ncommitter x <x@y> 1 +0000\n\n${message}\n`;
const made = (more: Partial<Parameters<typeof finalCommitText>[0]>) =>
  finalCommitText({
    tree: TREE,
    parent: null,
    snapshot: snapshot("First try"),
    message: null,
    at: new Date("2026-11-25T12:00:00Z"),
    trailers: [
      ["Submission", "abcdefgh"],
      ["Score", 0.5],
      ["Score-Secondary", null],
    ],
    ...more,
  });

describe("the commit of a submission", () => {
  it("has the snapshot's author, the broker as committer, and the submission's facts as trailers", () => {
    expect(made({ parent: "1".repeat(40) })).toBe(`tree ${TREE}
parent ${"1".repeat(40)}
author Ada <ada@example.org> 1700000000 +0100
committer crowdAI <broker@crowdai.invalid> 1795608000 +0000

First try

Submission: abcdefgh
Score: 0.5
`);
  });

  it("has the member of a team who made it as author, with the address of the snapshot", () => {
    expect(made({ member: "Gr\u00e4ce <x>" })).toContain(
      "author Gr\u00e4ce x <ada@example.org> 1700000000 +0100",
    );
    expect(made({ member: "Grace", snapshot: snapshot("m", "") })).toMatch(/^author Grace <participant@/m);
  });

  it("includes the client's trailers, except those that the broker writes", () => {
    const text = made({
      snapshot: snapshot(
        "Why\n\nmore\n\nCrowdai-Head: 0123\nCrowdai-Submission: abcdefgh\nScore: 1\nRuntime: Python",
      ),
    });
    expect(text.split("\n\n").slice(1)).toEqual([
      "Why",
      "more",
      "Submission: abcdefgh\nScore: 0.5\nHead: 0123\nRuntime: Python\n",
    ]);
  });

  it("has this submission's message when several submissions share a snapshot", () => {
    const shared = snapshot("First try\n\nCrowdai-Submission: other\nCrowdai-Head: 0123");
    expect(made({ snapshot: shared })).toContain("\n\nSubmission abcdefgh\n\nSubmission: abcdefgh\n");
    expect(made({ message: "Second\u001b[2J try\r\n" })).toContain("\n\nSecond[2J try\n\nSubmission");
  });

  it("falls back to a neutral author when the snapshot's is invalid", () => {
    for (const author of ["", "no brackets 1 +0000", "<> 1 +0000", "A <a> x +0000"])
      expect(made({ snapshot: snapshot("m", author) })).toMatch(/^author participant </m);
  });

  it("has the name that git gives it", () => {
    expect(objectName("tree", "")).toBe(TREE);
  });
});
