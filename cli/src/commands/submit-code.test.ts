import type { CodeAnnouncement } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { startContractBroker } from "../../test/contract-broker.ts";
import type { ContractBroker } from "../../test/contract-types.ts";
import { type GitHost, startGitHost } from "../../test/git-host.ts";
import { makeProject, type Project } from "../../test/project.ts";
import { runCli } from "../../test/run-cli.ts";

let broker: ContractBroker;
let host: GitHost;
let project: Project;
beforeEach(async () => {
  [broker, host] = await Promise.all([
    startContractBroker({ code: { capture: "optional" } }),
    startGitHost(),
  ]);
  broker.code = ({ id, code }) => {
    const ref = `refs/incoming/${id}`;
    return {
      url: host.url,
      ref,
      have: host.git("for-each-ref", "--format=%(objectname)").includes(code!.commit),
    };
  };
  project = makeProject();
  project.write("predictions.csv", "id,species\n1,setosa\n");
  project.write("train.py", "print(1)\n");
  project.git("add", ".");
  project.git("commit", "-qm", "first");
});
afterEach(async () => {
  await Promise.all([broker.close(), host[Symbol.asyncDispose](), project[Symbol.asyncDispose]()]);
});

const submit = (...flags: string[]) =>
  runCli(["submit", "predictions.csv", "-c", "iris", ...flags], {
    cwd: project.folder,
    env: { ...project.env, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: broker.key },
  });
const announced = () =>
  broker.received
    .filter(({ what }) => what === "submit")
    .map(({ message }) => message as { id: string; publish: boolean; code: CodeAnnouncement });
const pushes = () =>
  host.requests.filter(({ what }) => what.startsWith("POST") && what.includes("receive-pack"));

describe.skipIf(missing("git"))("crowdai submit --code", () => {
  it("sends the project as a commit, with the key in a header and the facts in trailers", async () => {
    const before = project.fingerprint();
    const done = await submit("--code", "-m", "Deeper trees");
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining("Accuracy: 0.900") });
    expect(done.stderr).toContain("Code: 2 files, ");
    const [intent] = announced();
    expect(intent).toMatchObject({
      code: { tree: project.git("rev-parse", "HEAD^{tree}"), files: 2, bytes: 29 },
      publish: false,
    });
    const ref = `refs/incoming/${intent!.id}`;
    expect(host.git("rev-parse", ref)).toBe(intent!.code.commit);
    const commit = host.git("cat-file", "commit", ref);
    expect(commit).toContain("author Ada Lovelace <ada@example.org>");
    expect(commit).toContain("\n\nDeeper trees\n\n");
    expect(
      host
        .git(
          "log",
          "-1",
          "--format=%(trailers:key=Crowdai-Submission,key=Crowdai-Challenge,key=Crowdai-Head,key=Crowdai-Branch,key=Crowdai-Dirty)",
          ref,
        )
        .trim(),
    ).toBe(
      [
        `Crowdai-Submission: ${intent!.id}`,
        "Crowdai-Challenge: iris",
        `Crowdai-Head: ${project.git("rev-parse", "HEAD")}`,
        "Crowdai-Branch: main",
        "Crowdai-Dirty: no",
      ].join("\n"),
    );
    expect(commit).toMatch(/Crowdai-Runtime: (node|bun)\/\d/);
    expect(commit).toMatch(/Crowdai-Client: crowdai\/\d/);
    const basic = `Basic ${Buffer.from(`crowdai:${broker.key}`).toString("base64")}`;
    expect(host.requests.every(({ authorization }) => authorization === basic)).toBe(true);
    expect(host.requests.map(({ what }) => what).join()).not.toContain(broker.key);
    expect(done.stdout + done.stderr).not.toContain(broker.key);
    expect(project.fingerprint()).toBe(before);
  });

  it("sends nothing if nothing has changed, and otherwise only what is new", async () => {
    project.write("large.py", Array.from({ length: 20_000 }, (_, i) => `x${i} = ${Math.sin(i)}`).join("\n"));
    await submit("--code");
    expect(pushes()).toHaveLength(1);
    expect(pushes()[0]!.bytes).toBeGreaterThan(100_000);
    const asked = host.requests.length;
    expect((await submit("--code", "-m", "again")).code).toBe(0);
    expect(host.requests).toHaveLength(asked);
    const [first, second] = announced();
    expect(second!.code).toEqual(first!.code);
    project.write("train.py", "print(2)\n");
    await submit("--code");
    expect(pushes()).toHaveLength(2);
    expect(pushes()[1]!.bytes).toBeLessThan(2_000);
  });

  it("makes a new commit over the same tree if what the last one says is no longer true", async () => {
    const trailers = ({ id, code }: { id: string; code: CodeAnnouncement }) => [
      code.commit,
      host.git("log", "-1", "--format=%(trailers:key=Crowdai-Head,valueonly)", `refs/incoming/${id}`).trim(),
      host.git("log", "-1", "--format=%(trailers:key=Crowdai-Dirty,valueonly)", `refs/incoming/${id}`).trim(),
    ];
    const first = project.git("rev-parse", "HEAD");
    project.write("train.py", "print(2)\n");
    await submit("--code");
    project.git("commit", "-qam", "second");
    await submit("--code");
    const second = project.git("rev-parse", "HEAD");
    project.git("config", "user.name", "Grace Hopper");
    await submit("--code");
    const [dirty, clean, byGrace] = announced();
    expect(clean!.code.tree).toBe(dirty!.code.tree);
    expect(trailers(dirty!).slice(1)).toEqual([first, "yes"]);
    expect(trailers(clean!).slice(1)).toEqual([second, "no"]);
    expect(host.git("log", "-1", "--format=%an", byGrace!.code.commit).trim()).toBe("Grace Hopper");
    expect(pushes()).toHaveLength(3);
    expect(pushes()[2]!.bytes).toBeLessThan(1_000);
  });

  it("is not included by default; crowdai.json can include it, and --no-code overrides that", async () => {
    await submit();
    project.write("crowdai.json", JSON.stringify({ code: { submit: true, exclude: ["predictions.csv"] } }));
    await submit();
    await submit("--no-code");
    expect(announced().map(({ code }) => code?.files ?? null)).toEqual([null, 2, null]);
  });

  it("is included, with a message, if the challenge requires it and a project is found", async () => {
    broker.challenge.code.capture = "required";
    const done = await submit();
    expect(done.stderr).toContain("This challenge requires the code.");
    expect(announced()[0]!.code.files).toBe(2);
    const refused = await submit("--no-code");
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining("error[code_required]") });
    expect(announced()).toHaveLength(1);
  });

  it("is refused before anything is sent: not accepted, with secrets, too large, without a folder", async () => {
    broker.challenge.code.capture = "off";
    expect(await submit("--code")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("error[code_off]"),
    });
    broker.challenge.code.capture = "optional";
    project.write("key.py", `k = "${broker.key}"\n`);
    expect(await submit("--code")).toMatchObject({ code: 4, stderr: expect.stringContaining("key.py:1") });
    expect(announced()).toEqual([]);
    expect((await submit("--code", "--allow-secrets")).code).toBe(0);
    broker.challenge.accepts.code = { max_bytes: 10 };
    expect(await submit("--code", "--allow-secrets")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("error[code_too_large]"),
    });
    expect(await submit("--code", "nowhere")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not a folder"),
    });
    expect(await submit("--no-code", "--publish")).toMatchObject({ code: 2 });
    expect(await submit("--code", "--publish")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("error[agreement_missing]"),
    });
    expect(announced()).toHaveLength(1);
  });

  it("takes a file after --code as the file to submit", async () => {
    const done = await runCli(["submit", "-c", "iris", "--code", "predictions.csv"], {
      cwd: project.folder,
      env: { ...project.env, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: broker.key },
    });
    expect(done.code).toBe(0);
    expect(announced()[0]!.code.files).toBe(2);
  });

  it("is listed by --dry-run, with what is excluded, and nothing is sent", async () => {
    project.write(".env", "SECRET=1");
    project.write("it's\u001b[31m.py", "");
    const text = await submit("--code", "--dry-run");
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("  train.py  9 B\n");
    expect(text.stdout).toMatch(/Code: +2 files, 29 bytes, from /);
    expect(text.stdout).toContain("  Excluded: .env (files of this name contain environment variables)\n");
    expect(text.stdout).not.toContain("\u001b");
    const { stdout } = await submit("--code", "--dry-run", "--format", "json");
    const { plan } = JSON.parse(stdout);
    expect(plan.code).toMatchObject({
      files: [
        { path: "predictions.csv", size: 20 },
        { path: "train.py", size: 9 },
      ],
      bytes: 29,
      left_out: [{ path: ".env" }, { reason: "its name has a control character" }],
      dirty: "yes",
    });
    expect([announced(), host.requests]).toEqual([[], []]);
  });

  it("does not affect the grade if it cannot be sent, and crowdai watch sends it again", async () => {
    host.refuse = 503;
    const done = await submit("--code");
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining("Accuracy: 0.900") });
    const { id, code } = announced()[0]!;
    expect(done.stderr).toContain(`Run \`crowdai watch ${id}\` to send the code again.`);
    host.refuse = null;
    const watched = await runCli(["watch", id], {
      cwd: project.home,
      env: { ...project.env, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: broker.key },
    });
    expect(watched).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`Sent the code of ${id}.`),
    });
    expect(host.git("rev-parse", `refs/incoming/${id}`)).toBe(code.commit);
  });

  it("is sent with the next submission if it could not be sent with its own", async () => {
    host.refuse = 503;
    await submit("--code");
    host.refuse = null;
    project.write("train.py", "print(2)\n");
    await submit("--code", "--no-wait");
    for (const { id, code } of announced())
      expect(host.git("rev-parse", `refs/incoming/${id}`)).toBe(code.commit);
  });

  it("is not sent again if the broker refuses it with a reason", async () => {
    host.git("config", "receive.denyCurrentBranch", "refuse");
    host.git("config", "receive.maxInputSize", "1");
    const done = await submit("--code");
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(/code of \w+ was not sent|refused the code/);
  });

  it("works for two submissions of one project at the same time", async () => {
    project.write("other.csv", "id\n2\n");
    const done = await Promise.all([submit("--code", "-m", "one"), submit("--code", "-m", "two")]);
    expect(done.map(({ code }) => code)).toEqual([0, 0]);
    for (const { id, code } of announced())
      expect(host.git("rev-parse", `refs/incoming/${id}`)).toBe(code.commit);
  });
});
