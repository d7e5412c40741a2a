import { CrowdaiError } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { afterAcceptance, afterLostWatch, beforeAcceptance } from "../../src/submit/grade.ts";
import { useCommandLine } from "../command-line.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });
const onlyId = () => cli.submissions()[0]!.id;

describe("12: an error that is not a bug", () => {
  it("has no stack trace, which --debug and CROWDAI_DEBUG add", async () => {
    const STACK = /^ +at /m;
    expect((await cli.run(["show", "unknown"])).stderr).not.toMatch(STACK);
    expect((await cli.run(["show", "unknown", "--debug"])).stderr).toMatch(STACK);
    expect((await cli.run(["show", "unknown"], { env: { CROWDAI_DEBUG: "1" } })).stderr).toMatch(STACK);
    expect((await cli.run(["show"])).stderr).not.toMatch(STACK);
  });
});

describe("16: a lost connection after the submission was accepted", () => {
  it("does not fail the submission: pending, with its id and the command that continues", () => {
    for (const code of ["broker_lost", "broker_unreachable"] as const) {
      const lost = afterLostWatch(afterAcceptance(new CrowdaiError(code), "ab12")) as CrowdaiError;
      expect([lost.code, lost.exitCode]).toEqual(["still_pending", 8]);
      expect(lost.message).toContain("Submission ab12 was accepted and continues.");
      expect(lost.next).toContain("`crowdai watch ab12`");
      expect(lost.details).toMatchObject({ submission: "ab12", accepted: true, cause: code });
    }
    const before = beforeAcceptance(new CrowdaiError("broker_lost"), "ab12");
    expect(afterLostWatch(before)).toBe(before);
  });
});

describe("18: Ctrl-C", () => {
  it("says that the submission continues, and how to reattach or cancel", async () => {
    cli.broker.grader = null;
    const stop = new AbortController();
    cli.broker.intercept = (what) => {
      if (what === "submit") setTimeout(() => stop.abort("SIGINT"), 50);
      return false;
    };
    const { code, stderr } = await cli.run(["submit", "--json", "[1]"], { signal: stop.signal });
    expect(code).toBe(130);
    expect(stderr).toContain(`Interrupted. Submission ${onlyId()} was accepted and continues.`);
    expect(stderr).toContain(
      `Run \`crowdai watch ${onlyId()}\` to reattach, or \`crowdai cancel ${onlyId()}\` to cancel it.`,
    );
  });
});
