import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importChallenge } from "./import-challenge.ts";
import { isoTime } from "./read-yaml.ts";
import { codabenchFiles, folderOf } from "./testing.ts";

const CONFIG = `title: Old pi
description: Write pi.
image: logo.png
has_registration: true
anonymous_leaderboard: false
end_date: 2026-12-31
html:
  overview: overview.html
  terms: terms.md
leaderboard:
  leaderboards:
    RESULTS: &RESULTS
      label: Results
      rank: 1
  columns:
    error: {label: Error, leaderboard: *RESULTS, rank: 2, sort: asc, numeric_format: 4}
    right: {label: Right digits, leaderboard: *RESULTS, rank: 1}
phases:
  1:
    phasenumber: 1
    label: Practice
    color: green
    start_date: 2026-01-01 00:00:00+00:00
    max_submissions: 20
    scoring_program: scoring_program
    reference_data: reference
  2:
    phasenumber: 2
    label: Test
    start_date: 3-31-2026
    max_submissions_per_day: 2
    leaderboard_management_mode: hide_results
    scoring_program: scoring_program
    reference_data: reference
`;

describe("a bundle of CodaLab", () => {
  it("becomes a challenge folder, whose rounds end when the next one starts", async () => {
    const root = await folderOf(codabenchFiles(CONFIG));
    const { folder, leftOut } = await importChallenge({
      bundle: root,
      into: join(root, "out"),
      id: null,
      dryRun: false,
    });
    expect(folder.config).toMatchObject({
      ...{ id: "old-pi", title: "Old pi" },
      description: "Write pi.\n\n## Overview\n\nDigits & **more**.\n\n## Terms\n\nBe *fair*.",
      score: { title: "Right digits", order: "descending", precision: 2 },
      score_secondary: { title: "Error", order: "ascending", precision: 4 },
      rounds: [
        {
          ...{ id: "practice", starts_at: "2026-01-01T00:00:00.000Z", ends_at: "2026-03-31T00:00:00.000Z" },
          limit: { count: 20, per: "round" },
        },
        { id: "test", ends_at: "2026-12-31T00:00:00.000Z", limit: { count: 2, per: "day" } },
      ],
      evaluator: { reference: "private/reference/", metrics: ["right", "error"] },
      visibility: { leaderboard: false },
    });
    expect(await readFile(join(folder.dir, "private/reference/pi.txt"), "utf8")).toBe("3.14159265\n");
    expect(leftOut.map(({ what }) => what)).toEqual(["has_registration", 'phase "Practice": color']);
  });

  it("has its boards by rank, and no rounds of phases without submissions", async () => {
    const changed = CONFIG.replace("    RESULTS:", "    OTHER: &OTHER {label: Other, rank: 2}\n    RESULTS:")
      .replace("  columns:\n", "  columns:\n    time: {label: Time, leaderboard: *OTHER, rank: 1}\n")
      .replace("max_submissions: 20", "max_submissions: 0")
      .replace("    label: Test\n", "    label: Test\n    phase_never_ends: true\n")
      .replace("end_date", "start_date: 2026-01-01\ncompetition_docker_image: a/b\nend_date");
    const root = await folderOf(codabenchFiles(changed));
    const options = { bundle: root, into: join(root, "out"), id: null, dryRun: true };
    const { folder, leftOut } = await importChallenge(options);
    expect(folder.config).toMatchObject({
      score: { title: "Right digits" },
      rounds: [{ id: "test", ends_at: null }],
    });
    expect(leftOut.map(({ what }) => what)).toEqual([
      ...["has_registration", "docker_image", 'leaderboard "Other"', 'phase "Practice"'],
    ]);
  });

  it("says how to get the files that CodaLab stores under keys", async () => {
    const key = "c4819120-18a2-4466-9c82-f51cbbe8b667";
    const root = await folderOf(codabenchFiles(CONFIG.replaceAll(": scoring_program", `: ${key}`)));
    await expect(
      importChallenge({ bundle: root, into: join(root, "out"), id: null, dryRun: true }),
    ).rejects.toThrow(`"${key}" is the key of a file that the other platform stores; export the bundle`);
  });

  it("is refused when it is not as CodaLab has them", async () => {
    const root = await folderOf(codabenchFiles("title: x\nhtml: {}\nphases: [1]\nleaderboard: {columns: 1}"));
    await expect(
      importChallenge({ bundle: root, into: join(root, "out"), id: null, dryRun: false }),
    ).rejects.toMatchObject({
      code: "bundle_invalid",
      message: expect.stringMatching(
        /tasks: expected a task.*phases: expected a phase.*leaderboards: expected a leaderboard/s,
      ),
    });
  });

  it.each([
    ["2026-03-04", "2026-03-04T00:00:00.000Z"],
    ["3-31-2026", "2026-03-31T00:00:00.000Z"],
    ["31/3/2026 08:30", "2026-03-31T08:30:00.000Z"],
    ["2026-03-04T10:00:00+0530", "2026-03-04T04:30:00.000Z"],
    ["2026-13-04", null],
    ["tomorrow", null],
  ])("reads the time %j as %j", (text, time) => {
    expect(isoTime(text)).toBe(time);
  });
});
