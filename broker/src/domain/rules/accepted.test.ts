import { CrowdaiError, type Intent, type IntentRequest, intentSchema } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { describe, expect, it } from "vitest";
import { carriesCode, MAX_CODE_FILES, maxCodeBytes, requireAcceptedCode } from "./accepted-code.ts";
import { requireAcceptedInput, requireAcceptedValue, requireKind } from "./accepted-input.ts";
import { requireAcceptedModels } from "./accepted-models.ts";
import { requireAcceptedRun } from "./accepted-run.ts";

const config = (more: object = {}) =>
  challengeConfigSchema.parse({
    ...{ id: "sums", title: "Sums", score: { order: "descending" }, evaluator: { command: ["true"] } },
    ...more,
  });
const intent = (more: Partial<IntentRequest> = {}): Intent =>
  intentSchema.parse({
    ...{ id: "submission-1", challenge: "sums", input: { kind: "inline", data: 1 }, ...more },
  });
/** Returns the refusal, as participants get it; null when there is none. */
function refusal(check: () => void) {
  try {
    check();
  } catch (error) {
    if (!(error instanceof CrowdaiError)) throw error;
    const { code, details, message, next } = error;
    return { code, message, next, ...(details && { details }) };
  }
  return null;
}

const RUN = { run: { command: ["x"], output: { path: "y" } }, accepts: {} };
const NAMED = { run: { command: "submission", output: { path: "y" } }, accepts: {} };
const GYM = { environment: { gym: "env.py:make" }, accepts: {} };
const agents = (...names: string[]) => ({ environment: { gym: "env.py:make", agents: names }, accepts: {} });
const file = (more: object = {}) => ({
  ...{ kind: "file" as const, name: "a.csv", size: 3, sha256: "0".repeat(64), ...more },
});

describe("code", () => {
  const code = { commit: "1".repeat(40), tree: "2".repeat(40), files: 1, bytes: 10 };
  const refused = (challenge: object, more: Partial<IntentRequest> = {}) =>
    refusal(() => requireAcceptedCode(config(challenge), intent({ code, ...more })));

  it("belongs to submissions, and to no dry run and no other function", () => {
    expect(carriesCode(intent())).toBe(true);
    expect(carriesCode(intent({ dry_run: true }))).toBe(false);
    expect(carriesCode(intent({ function: "evaluate" }))).toBe(false);
    expect(refused({ code: { capture: "off" } }, { dry_run: true })).toBeNull();
  });

  it("may be left out where it is not required", () => {
    expect(refused({}, { code: null })).toBeNull();
    expect(refused({ code: { capture: "required" } }, { code: null })).toMatchObject({
      code: "code_required",
    });
    expect(refused(RUN, { code: null, input: { kind: "code" } })).toMatchObject({ code: "code_required" });
    expect(refused({}, { code: null, input: { kind: "code" } })).toMatchObject({ code: "code_required" });
    // Old clients of environments cannot send any.
    const session = { code: null, input: { kind: "session" as const } };
    expect(refused({ ...GYM, code: { capture: "required" } }, session)).toBeNull();
  });

  it("is accepted unless the challenge takes none", () => {
    expect(refused({})).toBeNull();
    expect(refused({ code: { capture: "off" } })).toMatchObject({ code: "code_off" });
    expect(refused({ code: { capture: "off" } }, { input: { kind: "code" } })).toBeNull();
  });

  it("has object names of the broker's repositories", () => {
    const next = "Take the snapshot in a repository with the SHA-1 object format.";
    for (const names of [{ commit: "1".repeat(64) }, { tree: "1".repeat(64) }])
      expect(refused({}, { code: { ...code, ...names } })).toMatchObject({ code: "code_unfit", next });
  });

  it("has a maximum size and number of files", () => {
    const challenge = { accepts: { json: {}, code: { max_bytes: 10 } } };
    expect(maxCodeBytes(config(challenge))).toBe(10);
    expect(maxCodeBytes(config())).toBe(50 * 1024 * 1024);
    expect(refused(challenge)).toBeNull();
    expect(refused(challenge, { code: { ...code, bytes: 11 } })).toMatchObject({
      ...{ code: "code_too_large", details: { size: 11, max_bytes: 10 } },
    });
    expect(refused({}, { code: { ...code, files: MAX_CODE_FILES } })).toBeNull();
    expect(refused({}, { code: { ...code, files: MAX_CODE_FILES + 1 } })).toMatchObject({
      code: "code_too_large",
      details: { files: MAX_CODE_FILES + 1, max_files: MAX_CODE_FILES },
    });
  });
});

describe("an input", () => {
  const refused = (challenge: object, input: Partial<Intent["input"]>, size = 3) =>
    refusal(() => requireAcceptedInput(config(challenge), input as Intent["input"], size));

  it("is of a kind that the challenge accepts", () => {
    const kinds = ["file", "json", "inline", "code", "session"] as const;
    const accepted = (challenge: object) =>
      kinds.filter((kind) => refusal(() => requireKind(config(challenge), kind)) === null);
    expect(accepted({ accepts: { file: {} } })).toEqual(["file"]);
    expect(accepted({ accepts: { json: {} } })).toEqual(["json", "inline"]);
    expect(accepted({})).toEqual(["file", "json", "inline"]);
    expect(accepted(RUN)).toEqual(["code"]);
    expect(accepted(GYM)).toEqual(["code", "session"]);
    expect(accepted(agents("remote"))).toEqual(["session"]);
    expect(accepted(agents("code"))).toEqual(["code"]);
  });

  it.each([
    [{ accepts: { json: {} } }, file(), "sums accepts json submissions, not files.", ["json"], null],
    [
      { accepts: { file: {}, json: {} } },
      { kind: "session" },
      "sums has no environment to step; it accepts file or json submissions.",
      ["file", "json"],
      null,
    ],
    [
      { accepts: { file: {}, json: {} } },
      { kind: "code" },
      "sums accepts file or json submissions, not code alone.",
      ["file", "json"],
      null,
    ],
    [
      RUN,
      { kind: "inline" },
      "sums runs submitted code; it accepts code submissions, not JSON values.",
      ["code"],
      "Submit your code: crowdai submit --code -c sums",
    ],
    [
      GYM,
      file(),
      "sums has an environment that agents step; it accepts code and remote agents, not files.",
      ["code", "session"],
      "Submit the code of your agent: crowdai submit --code -c sums. Run your agent here: crowdai run -c sums <command>.",
    ],
    [
      agents("remote"),
      { kind: "code" },
      "sums has an environment that agents step; it accepts remote agents, not code agents.",
      ["session"],
      "Run your agent here: crowdai run -c sums <command>.",
    ],
    [
      agents("code"),
      { kind: "session" },
      "sums has an environment that agents step; it accepts code agents, not remote agents.",
      ["code"],
      "Submit the code of your agent: crowdai submit --code -c sums.",
    ],
  ] as const)(
    "of another kind is refused with what is accepted: %j %j",
    (challenge, input, message, accepts, next) => {
      const found = refused(challenge, input as Partial<Intent["input"]>)!;
      expect(found).toMatchObject({ code: "kind_not_accepted", message, details: { accepts } });
      if (next) expect(found.next).toBe(next);
      else expect(found.next).toMatch(/./);
    },
  );

  it("has a maximum size", () => {
    const challenge = { accepts: { file: { max_bytes: 3 }, json: { max_bytes: 4 } } };
    expect(refused(challenge, file())).toBeNull();
    expect(refused(challenge, file(), 4)).toEqual({
      ...{ code: "file_too_large", message: "The file has 4 bytes; sums accepts at most 3." },
      ...{ next: expect.any(String), details: { size: 4, max_bytes: 3 } },
    });
    expect(refused(challenge, { kind: "inline" }, 4)).toBeNull();
    expect(refused(challenge, { kind: "json" }, 5)).toMatchObject({
      ...{ code: "value_too_large", message: "The value has 5 bytes of JSON; sums accepts at most 4." },
      ...{ details: { size: 5, max_bytes: 4 } },
    });
    expect(refused(RUN, { kind: "code" }, 1e12)).toBeNull();
    expect(refused(GYM, { kind: "session" })).toBeNull();
  });

  it("has one of the extensions, in any case", () => {
    const challenge = { accepts: { file: { extensions: [".CSV", ".tar.gz"] }, json: {} } };
    for (const name of ["a.csv", "A.Csv", "b.tar.GZ"]) expect(refused(challenge, file({ name }))).toBeNull();
    const accepted = [".CSV", ".tar.gz"];
    expect(refused(challenge, file({ name: "a.TXT" }))).toMatchObject({
      ...{ code: "file_extension", details: { accepted } },
      message: `The file's extension is ".txt"; accepted: .CSV, .tar.gz.`,
    });
    for (const name of ["csv", null])
      expect(refused(challenge, file({ name }))).toMatchObject({
        message: "The file's extension is missing; accepted: .CSV, .tar.gz.",
      });
    expect(refused({ accepts: { file: { extensions: [] } } }, file({ name: null }))).toBeNull();
    expect(refused(challenge, { kind: "json", name: "a.txt" } as never)).toBeNull();
  });

  it("that is a value fits the schema, and passes the check where that costs no slot", () => {
    const number = { type: "number" };
    const value = (challenge: object, data: unknown, called = "submit") =>
      refusal(() => requireAcceptedValue(config(challenge), data, called))?.code;
    expect(value({ accepts: { json: { schema: number } } }, 1)).toBeUndefined();
    expect(value({ accepts: { json: { schema: number } } }, "a")).toBe("value_schema");
    expect(value({ accepts: { file: {} } }, "a")).toBeUndefined();
    const check = { schema: number, function: "check" };
    expect(value({ check }, 1)).toBeUndefined();
    expect(value({ check }, "a")).toBe("check_failed");
    expect(value({ check }, "a", "check")).toBe("check_failed");
    expect(value({ check }, "a", "evaluate")).toBeUndefined();
    expect(value({ check: { ...check, charge: true } }, "a")).toBeUndefined();
    expect(value({ check: { ...check, charge: true } }, "a", "check")).toBe("check_failed");
    expect(value({ check: { function: "check" } }, "a", "check")).toBeUndefined();
  });
});

describe("models", () => {
  const model = (name: string, size = 1) => ({ name, size, sha256: "0".repeat(64) });
  const refused = (models: object[], more: object = {}, challenge: object = {}) =>
    refusal(() => requireAcceptedModels(config(challenge), intent({ models: models as never, ...more })));

  it("come with submissions alone", () => {
    expect(refused([])).toBeNull();
    expect(refused([], { dry_run: true })).toBeNull();
    expect(refused([model("a"), model("b.bin")])).toBeNull();
    for (const more of [{ dry_run: true }, { function: "evaluate" }])
      expect(refused([model("a")], more)).toMatchObject({ code: "model_refused" });
  });

  it("are accepted up to a size, where the challenge takes any", () => {
    const challenge = { accepts: { json: {}, model: { max_bytes: 5 } } };
    expect(refused([model("a", 5)], {}, challenge)).toBeNull();
    expect(refused([model("a", 5), model("b", 6)], {}, challenge)).toMatchObject({
      ...{ code: "model_refused", details: { name: "b", size: 6, max_bytes: 5 } },
    });
    expect(refused([model("a")], {}, { accepts: { json: {}, model: null } })).toMatchObject({
      ...{ code: "model_refused", message: "sums does not accept models." },
    });
  });

  it("have names of their own", () => {
    expect(refused([model("a"), model("b"), model("a")])).toMatchObject({
      ...{ code: "model_refused", next: "Give each model a different name.", details: { name: "a" } },
    });
  });

  it.each(["a/b", "a\\b", ".", "..", "...", "a\n"])("have names of files: %j is none", (name) => {
    expect(refused([model("a"), model(name)])).toMatchObject({
      ...{ code: "model_refused", details: { name } },
      next: "Use a file name without folders and control characters.",
    });
  });

  it.each([".a", "a.", "..a", "a..b"])("have names of files: %j is one", (name) => {
    expect(refused([model(name)])).toBeNull();
  });
});

describe("code that is run", () => {
  const refused = (challenge: object, more: Partial<IntentRequest>) =>
    refusal(() => requireAcceptedRun(config(challenge), intent(more)));
  const input = (command: string[] | null = null) => ({ input: { kind: "code" as const, command } });

  it("has no dry run", () => {
    expect(refused(RUN, input())).toBeNull();
    expect(refused(RUN, { ...input(), dry_run: true })).toMatchObject({
      ...{ code: "usage", next: expect.stringContaining("--code --dry-run") },
    });
    expect(refused(GYM, { ...input(["x"]), dry_run: true })).toMatchObject({
      ...{ code: "usage", next: expect.stringContaining("--code --dry-run") },
    });
    expect(refused(RUN, { dry_run: true })).toBeNull();
    expect(refused({}, { ...input(), dry_run: true })).toBeNull();
  });

  it("names its command where the challenge leaves that to the participant", () => {
    expect(refused(RUN, input())).toBeNull();
    expect(refused(NAMED, input(["python3", "main.py"]))).toBeNull();
    for (const challenge of [NAMED, GYM])
      expect(refused(challenge, input())).toMatchObject({
        ...{ code: "code_invalid", next: expect.stringContaining("crowdai.json, for example") },
      });
    expect(refused(NAMED, {})).toBeNull();
    expect(refused(NAMED, input(["a", "b\0"]))).toMatchObject({
      ...{ code: "code_invalid", next: "Fix code.command in crowdai.json." },
    });
    expect(refused(RUN, input(["b\0"]))).toBeNull();
  });

  it("of an environment is played for a grade", () => {
    const session = { input: { kind: "session" as const } };
    expect(refused(GYM, session)).toBeNull();
    expect(refused(GYM, { ...session, function: "replay" })).toMatchObject({ code: "usage" });
    expect(refused(GYM, { ...session, dry_run: true })).toMatchObject({
      ...{ code: "usage", next: expect.stringContaining("crowdai-grader try") },
    });
    expect(refused(RUN, { ...input(), function: "evaluate" })).toBeNull();
  });
});
