import { expect, it } from "vitest";
import { parseCiIssuers } from "./ci-issuers.ts";

it("knows GitHub and GitLab.com by name, and others by URL", () => {
  expect(parseCiIssuers("github gitlab, gitlab=https://git.example:8443/sub/", false)).toEqual([
    { kind: "github", url: "https://token.actions.githubusercontent.com", name: "github" },
    { kind: "gitlab", url: "https://gitlab.com", name: "gitlab" },
    { kind: "gitlab", url: "https://git.example:8443/sub", name: "git.example:8443" },
  ]);
  expect(parseCiIssuers(" none ", false)).toEqual([]);
});

it("gives the first issuer of a kind its short name", () => {
  expect(parseCiIssuers("gitlab=https://git.example", false)).toEqual([
    { kind: "gitlab", url: "https://git.example", name: "gitlab" },
  ]);
});

it.each([
  ["", "expected issuers"],
  ["jenkins", "expected github, gitlab"],
  ["github=nowhere", "expected https://host"],
  ["gitlab=https://user:secret@git.example", "expected https://host"],
  ["gitlab=http://git.example", "expected https"],
  ["gitlab=http://127.0.0.1:1", "CI_LOOPBACK_ISSUERS=on"],
  ["gitlab gitlab", "named twice"],
  ["gitlab gitlab=https://git.example gitlab=https://git.example/sub", "named twice"],
])("refuses %j", (text, message) => {
  expect(() => parseCiIssuers(text, false)).toThrow(message);
});

it("accepts http on this machine alone, where the settings say so", () => {
  expect(parseCiIssuers("github=http://127.0.0.1:1", true)).toHaveLength(1);
  expect(() => parseCiIssuers("github=http://git.example", true)).toThrow("expected https");
});
