import { expect, it } from "vitest";
import { hostError } from "./host-errors.ts";

const HOST = {
  label: "GitHub at https://git.example.org",
  token: "secret",
  tokenName: "GITHUB_TOKEN",
  place: "acme",
  placeName: "GITHUB_ORG",
  rights: "permission to write",
};
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

it.each([
  ["seconds", 503, "120", 120],
  ["a date", 503, inSeconds(120), 120],
  ["a date that has passed", 429, inSeconds(-120), 1],
  ["neither", 429, "soon", 60],
])("waits as long as a host asks by %s", (_, status, after, seconds) => {
  const headers = { "retry-after": after };
  const { details } = hostError(HOST as never, "create it", { status, headers, message: "Wait" } as never);
  const waited = (details as { retry_after_seconds: number }).retry_after_seconds;
  expect(Math.abs(waited - seconds)).toBeLessThanOrEqual(2);
});
