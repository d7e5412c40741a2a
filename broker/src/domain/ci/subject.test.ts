import { expect, it } from "vitest";
import { parseCiIssuers } from "../../base/ci-issuers.ts";
import { parseSubject, subjectText } from "./subject.ts";

const issuers = parseCiIssuers(
  "github gitlab gitlab=https://git.example gitlab=https://git.example:8443",
  false,
);
const whole = (text: string) => {
  const subject = parseSubject(text, issuers);
  return subjectText({ ...subject, issuer: subject.issuer.name });
};

it.each([
  ["github:ada/iris", "github:ada/iris"],
  ["github:ada/iris@main", "github:ada/iris@refs/heads/main"],
  ["github:ada/iris@feature/x", "github:ada/iris@refs/heads/feature/x"],
  ["github:ada/iris@release-*", "github:ada/iris@refs/heads/release-*"],
  ["github:ada/iris@refs/tags/*", "github:ada/iris@refs/tags/*"],
  ["github:ada/iris@pull_request", "github:ada/iris@pull_request"],
  ["gitlab:team/sub/iris@merge_request", "gitlab:team/sub/iris@merge_request"],
  ["github:ada/iris:environment:prod eu", "github:ada/iris:environment:prod eu"],
  ["github:ada/iris@main:environment:prod", "github:ada/iris@refs/heads/main:environment:prod"],
  ["git.example:8443:team/iris", "git.example:8443:team/iris"],
])("reads %s as %s", (text, expected) => {
  expect(whole(text)).toBe(expected);
  expect(whole(expected)).toBe(expected);
});

it.each([
  ["ada/iris", "does not start with the name of a CI system"],
  ["bitbucket:ada/iris", "does not start with the name of a CI system"],
  ["github:ada", "is not a repository"],
  ["github:ada/*", "is not a repository"],
  ["github:*/iris", "is not a repository"],
  ["github:ada/../iris", "is not a repository"],
  ["github:ada/..", "is not a repository"],
  ["github:ada/iris/more", "is not a repository"],
  ["github:ada/iris@", "is not a branch or tag"],
  ["github:ada/iris@*/x", "is not a branch or tag"],
  ["github:ada/iris@a..b", "is not a branch or tag"],
  ["github:ada/iris@refs/pull/1/merge", "is not a branch or tag"],
  ["github:ada/iris@refs/*", "is not a branch or tag"],
  ["github:ada/iris:environment:", "is not the name of an environment"],
])("refuses %s: it %s", (text, message) => {
  expect(() => parseSubject(text, issuers)).toThrow(message);
});
