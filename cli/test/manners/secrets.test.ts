import { describe, expect, it } from "vitest";
import { redact } from "../../src/terminal/redact.ts";
import { useCommandLine } from "../command-line.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });

describe("31: secrets are redacted", () => {
  it.each([
    ["Authorization: Bearer abc.def", "abc"],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', "dXNl"],
    ["PRIVATE-TOKEN: glpat-abcdefghijklmnopqrst", "abcdefgh"],
    ["cookie: session=0123456789", "0123456789"],
    ["x-amz-security-token=FwoGZXIvYXdzEBc", "FwoG"],
    ["https://ada:hunter2@git.example/x.git", "hunter2"],
    ["https://store/x?X-Amz-Signature=0123&b=1", "0123"],
    ["token ghp_0123456789abcdefghij0123456789abcdef", "0123456789"],
    ["key AKIAIOSFODNN7EXAMPLE", "EXAMPLE"],
    ["jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "c2lnbmF0"],
    ["crowdai_0123456789abcdef", "0123456789"],
  ])("in %s", (text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(redact(text)).toContain("…");
  });

  it("and ordinary text stays as it is", () => {
    for (const text of [
      "crowdai submit p.csv --min-score 0.9",
      "https://host/a/b",
      "The cookie of the day is good.",
    ])
      expect(redact(text)).toBe(text);
  });

  it("--debug shows each request with its status and time, and no key", async () => {
    const { code, stdout, stderr } = await cli.run(["submissions", "--debug"]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("GET");
    expect(stderr).toMatch(/GET http:\/\/127\S+\/api\/v1\/submissions\?… 200 \d+ ms/);
    expect(stderr).not.toContain(cli.broker.key);
  });
});
