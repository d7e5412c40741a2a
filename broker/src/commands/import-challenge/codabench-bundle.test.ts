import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importChallenge } from "./import-challenge.ts";
import { archiveOf, CODABENCH, codabenchFiles, folderOf } from "./testing.ts";

const [TASK, PHASES, BOARDS] = [CODABENCH.tasks[0]!, CODABENCH.phases, CODABENCH.leaderboards];

async function importing(
  files: Parameters<typeof folderOf>[0],
  options: { id?: string; dryRun?: boolean } = {},
) {
  const root = await folderOf(
    Object.fromEntries(Object.entries(files).map(([name, content]) => [`bundle/${name}`, content])),
  );
  const into = join(root, "challenges");
  const chosen = { id: null, dryRun: false, ...options };
  return { root, into, imported: importChallenge({ bundle: join(root, "bundle"), into, ...chosen }) };
}
const reasons = (leftOut: { what: string; reason: string }[]) => leftOut.map(({ what }) => what);
const refusal = async (files: Parameters<typeof folderOf>[0]) => {
  const { root, imported } = await importing(files);
  const error = await imported.then(
    () => ({ code: "", message: "nothing was refused" }),
    (thrown) => thrown,
  );
  expect(await readdir(root)).toEqual(["bundle"]);
  return `${error.code}: ${error.message}`;
};

describe("a bundle of Codabench", () => {
  it("becomes a challenge folder: rounds, limits, scores, columns, pages and files", async () => {
    const { into, imported } = await importing(
      codabenchFiles({ docker_image: "codalab/codalab-legacy:py39" }),
    );
    const { folder, leftOut } = await imported;
    expect(folder.config).toMatchObject({
      id: "digits-of",
      title: "Digits of π",
      description: "Write pi.\n\n## Overview\n\nDigits & **more**.\n\n## Terms\n\nBe *fair*.",
      score: { title: "Right digits", order: "descending", precision: 0 },
      score_secondary: { title: "Error", order: "ascending", precision: 4 },
      columns: [{ key: "digits", title: "Digits", order: "descending", precision: 2 }],
      rounds: [
        {
          ...{ id: "uebung", title: "Übung", starts_at: "2026-01-01T00:00:00.000Z" },
          ...{ ends_at: "2026-06-30T12:00:00.000Z", limit: { count: 5, per: "day", scope: "round" } },
        },
        {
          ...{ id: "final", title: "Final", starts_at: "2026-06-30T22:00:00.000Z", ends_at: null },
          limit: { count: 3, per: "round" },
        },
      ],
      evaluator: {
        ...{ codabench: "program/", reference: "private/reference/", metrics: ["right", "error"] },
        ...{ private_results: ["seconds"], detailed_results: false, sandbox: "none" },
      },
    });
    expect(folder.dir).toBe(join(into, "digits-of"));
    expect(await readdir(into)).toEqual(["digits-of"]);
    expect((await readdir(folder.dir, { recursive: true })).sort()).toEqual([
      ...["challenge.json", "private", "private/reference", "private/reference/pi.txt"],
      ...["program", "program/metadata", "program/score.py", "public", "public/logo.png"],
    ]);
    expect((await stat(join(folder.dir, "private/reference/pi.txt"))).mode & 0o777).toBe(0o644);
    expect(reasons(leftOut)).toEqual(["docker_image", "hidden columns seconds"]);
  });

  it("may be an archive, with archives in it, each of which may have all in one folder", async () => {
    const program = await archiveOf({
      "deep/metadata": "command: ./run.sh $input $output",
      "deep/run.sh": "#!/bin/sh\n",
      "__MACOSX/deep/._run.sh": "x",
    });
    const text = codabenchFiles({
      tasks: [{ ...TASK, scoring_program: "score.tar", reference_data: "ref.tar" }],
    });
    const root = await folderOf({
      ...{ "b/score.tar": program, "b/ref.tar": await archiveOf({ "a.txt": "1" }) },
      ...Object.fromEntries(Object.entries(text).map(([name, body]) => [`b/${name}`, body])),
    });
    const { folder } = await importChallenge({
      bundle: root,
      into: join(root, "out"),
      id: "my.Id",
      dryRun: false,
    });
    expect(folder.config.id).toBe("my.Id");
    expect(await readFile(join(folder.dir, "private/reference/a.txt"), "utf8")).toBe("1");
    expect((await stat(join(folder.dir, "program/run.sh"))).mode & 0o111).toBe(0o111);
    expect(await readdir(join(folder.dir, "program"))).toEqual(["metadata", "run.sh"]);

    const files = codabenchFiles();
    const packed = await folderOf({ "bundle.tar": await archiveOf(files) });
    const bundle = join(packed, "bundle.tar");
    await importChallenge({ bundle, into: join(packed, "out"), id: null, dryRun: false });
    expect(await readdir(join(packed, "out"))).toEqual(["digits-of"]);
  });

  it("has reference data for each phase where they differ, and no phases with other programs", async () => {
    const tasks = [
      TASK,
      { index: 8, scoring_program: TASK.scoring_program, reference_data: "final.txt", input_data: "in.zip" },
      { index: 9, scoring_program: "other", reference_data: "reference" },
    ];
    const phases = [
      PHASES[0],
      { ...PHASES[1], tasks: [8, 7] },
      { ...PHASES[1], index: 2, name: "Extra", tasks: [9] },
    ];
    const { imported } = await importing({ ...codabenchFiles({ tasks, phases }), "final.txt": "3" });
    const { folder, leftOut } = await imported;
    expect(folder.config.evaluator).toMatchObject({
      reference: { uebung: "private/uebung/", final: "private/final/" },
    });
    expect(folder.config.rounds.map(({ id }) => id)).toEqual(["uebung", "final"]);
    expect(await readFile(join(folder.dir, "private/final/final.txt"), "utf8")).toBe("3");
    expect(reasons(leftOut)).toEqual([
      "hidden columns seconds",
      "task 8: input_data",
      'phase "Final": tasks 7',
      'phase "Extra"',
    ]);
  });

  it("needs a box when its program names the folders of Codabench's containers", async () => {
    const files = { ...codabenchFiles(), "scoring_program/score.py": 'open("/app/input/ref/pi.txt")' };
    const { folder, leftOut } = await (await importing(files)).imported;
    expect(folder.config.evaluator).toMatchObject({ sandbox: "bubblewrap" });
    expect(leftOut.at(-1)).toEqual({
      what: "grading without a box",
      reason: "line 1 of program/score.py names /app/input; graders need root and bubblewrap",
    });
  });

  it("is written nowhere in a dry run, and never over what is there", async () => {
    const { root, imported } = await importing(codabenchFiles(), { dryRun: true });
    await imported;
    expect(await readdir(root)).toEqual(["bundle"]);
    const options = { bundle: join(root, "bundle"), into: join(root, "out"), id: null, dryRun: false };
    await importChallenge(options);
    await expect(importChallenge(options)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("exists already"),
    });
    expect(await readdir(join(root, "out"))).toEqual(["digits-of"]);
    await expect(importChallenge({ ...options, id: "../x" })).rejects.toMatchObject({ code: "usage" });
  });

  it("lists fields without a place, and unknown ones", async () => {
    const more = {
      registration_auto_approve: false,
      forum_enabled: true,
      queue: null,
      mascot: "red",
      solutions: [{}],
    };
    const phases = [{ ...PHASES[0], auto_migrate_to_this_phase: true, max_submissions: 9 }, PHASES[1]];
    const leaderboards = [{ ...CODABENCH.leaderboards[0], submission_rule: "Force_Last" }];
    const tasks = [{ ...CODABENCH.tasks[0], docker_image: "a/b" }];
    const { leftOut } = await (await importing(codabenchFiles({ ...more, phases, leaderboards, tasks })))
      .imported;
    expect(reasons(leftOut)).toEqual([
      ...[
        "forum_enabled",
        "mascot",
        "solutions",
        "registration_auto_approve: false",
        "leaderboard: submission_rule: Force_Last",
        "hidden columns seconds",
        "task 7: docker_image",
      ],
      ...['phase "Übung": auto_migrate_to_this_phase', 'phase "Übung": max_submissions (9)'],
    ]);
    expect(leftOut[1]).toEqual({ what: "mascot", reason: "unknown field" });
  });

  it("may have pages in an old encoding, and names with accents in either form", async () => {
    const files = {
      ...codabenchFiles({ pages: [{ title: "Über", file: "Übersicht.md" }] }),
      ["Übersicht.md".normalize("NFD")]: Buffer.from("Gr\xfc\xdfe\x07", "latin1"),
    };
    const { folder } = await (await importing(files)).imported;
    expect(folder.config.description).toContain("## Über\n\nGrüße\n");
  });
});

describe("a bundle that cannot be imported", () => {
  it.each([
    [
      "has no configuration",
      { "readme.md": "x" },
      "neither challenge_config.yaml (EvalAI) nor competition.yaml",
    ],
    [
      "has two",
      { "competition.yaml": "", "challenge_config.yaml": "" },
      "challenge_config.yaml and competition.yaml",
    ],
    ["is empty YAML", { "competition.yaml": "" }, "competition.yaml: it is not a list of names and values"],
    [
      "is broken YAML",
      { "competition.yaml": "title: [" },
      "competition.yaml: Flow sequence in block collection",
    ],
    ["is not UTF-8", { "competition.yaml": Buffer.from([0x74, 0xff, 0xfe]) }, "it is not UTF-8 text"],
    [
      "is a bomb of aliases",
      {
        "competition.yaml": `a: &a [1,1,1,1,1,1,1,1,1]\n${"bcdefgh"
          .split("")
          .map((name, at) => `${name}: &${name} [${`*${"abcdefg"[at]},`.repeat(9)}]`)
          .join("\n")}`,
      },
      "Excessive alias count",
    ],
    ["is a link", { "competition.yaml": { link: "/etc/passwd" } }, "competition.yaml is not a file"],
  ])("%s", async (_, files, message) => {
    expect(await refusal(files as Record<string, string>)).toMatch(
      /^bundle_invalid: The bundle cannot be imported: /,
    );
    expect(await refusal(files as Record<string, string>)).toContain(message);
  });

  it.each([
    [{ tasks: null, phases: [] }, ["tasks: expected array", "phases: expected a phase"]],
    [{ tasks: [{ ...TASK, scoring_program: "/etc" }] }, ['"/etc" leads out of the bundle']],
    [{ tasks: [{ ...TASK, scoring_program: "a/../../b" }] }, ["leads out of the bundle"]],
    [{ tasks: [{ ...TASK, scoring_program: "C:\\x" }] }, ["leads out of the bundle"]],
    [{ tasks: [{ ...TASK, scoring_program: "nowhere.zip" }] }, ['"nowhere.zip" is not in the bundle']],
    [{ tasks: [{ index: 7, key: "b5e7" }] }, ["task 7: it is stored on Codabench (key b5e7)"]],
    [
      { tasks: [{ ...TASK, index: 1 }], terms: "none.md" },
      ['"Übung": there is no task 7', '"none.md" is not in'],
    ],
    [{ pages: [{ title: "x", file: "reference" }] }, ['"reference" is a folder']],
    [{ phases: [{ ...PHASES[0], start: "soon" }] }, ["phases[0].start: expected a time such as"]],
    [{ phases: [{ ...PHASES[0], end: "2025-02-30" }] }, ["phases[0].end: expected a time such as"]],
    [
      { phases: [{ ...PHASES[0], end: "2020-01-01" }] },
      ["rounds[0].ends_at: expected a time after starts_at"],
    ],
    [
      { phases: [{ ...PHASES[0], max_submissions: "many" }] },
      ["phases[0].max_submissions: expected a whole number"],
    ],
    [{ title: "円周率" }, ['title: an id cannot be made of "円周率"; name one with --id']],
    [{ version: 3 }, ["version: expected 2, got 3"]],
    [
      { leaderboards: [{ columns: [{ ...BOARDS[0]!.columns[0], computation: "avg" }] }] },
      ["expected a column that is neither hidden nor computed"],
    ],
  ])("with %j", async (changes, messages) => {
    const text = await refusal(codabenchFiles(JSON.parse(JSON.stringify(changes))));
    for (const message of messages) expect(text).toContain(message);
  });

  it("has links among its files, or an archive that leads out of its folder", async () => {
    const files = codabenchFiles();
    expect(await refusal({ ...files, "reference/x": { link: "/etc/passwd" } })).toContain("x is a link");
    const { "scoring_program/score.py": _, "scoring_program/metadata": __, ...rest } = files;
    expect(await refusal({ ...rest, scoring_program: { link: "/etc" } })).toContain("is a link");
    const tasks = [{ ...TASK, scoring_program: "p.tar" }];
    const archive = await archiveOf({ "../../x": "1" });
    expect(await refusal({ ...codabenchFiles({ tasks }), "p.tar": archive })).toContain(
      'p.tar: The archive cannot be unpacked: it contains the name "../../x"',
    );
    expect(await refusal({ ...codabenchFiles({ tasks }), "p.tar": "text" })).toContain(
      "it is not a zip, tar or tar.gz file",
    );
    const noCommand = { ...files, "scoring_program/metadata": "description: none" };
    expect(await refusal(noCommand)).toContain('got "metadata" without a command');
  });
});
