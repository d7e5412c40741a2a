import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { importChallenge } from "./import-challenge.ts";
import { archiveOf, folderOf } from "./testing.ts";

const PHASES = [
  {
    ...{ id: 1, name: "Dev phase", codename: "dev", description: "templates/dev.html" },
    ...{ leaderboard_public: true, is_public: true, test_annotation_file: "annotations/dev.json" },
    ...{ start_date: "2026-01-01 00:00:00", end_date: "2026-05-31 23:59:59" },
    ...{ max_submissions_per_day: 5, max_submissions_per_month: 100_000, max_submissions: 100_000 },
    allowed_submission_file_types: ".json, .zip",
  },
  {
    ...{ id: 2, name: "Test phase", codename: "test_2026", leaderboard_public: true, is_public: true },
    ...{ test_annotation_file: "annotations/test.json", start_date: "2026-06-01 00:00:00" },
    ...{
      max_submissions: 10,
      max_concurrent_submissions_allowed: 2,
      allowed_submission_file_types: [".json"],
    },
  },
];
const SPLIT = {
  ...{ challenge_phase_id: 1, leaderboard_id: 1, dataset_split_id: 1, visibility: 3 },
  ...{ leaderboard_decimal_precision: 4, is_leaderboard_order_descending: false },
};
const CONFIG = {
  ...{ title: "Count leaves", short_description: "How many?", description: "templates/description.html" },
  ...{ evaluation_details: "templates/evaluation.html", terms_and_conditions: "templates/terms.html" },
  ...{ image: "logo.jpg", submission_guidelines: "templates/guide.html" },
  ...{ evaluation_script: "evaluation_script.zip", remote_evaluation: false, is_docker_based: false },
  ...{ start_date: "2026-01-01 00:00:00", end_date: "2026-12-31 23:59:59", published: true },
  leaderboard: [
    {
      id: 1,
      schema: {
        labels: ["Accuracy", "Error"],
        default_order_by: "Error",
        metadata: { Accuracy: { sort_ascending: false, description: "Share of right ones" } },
      },
    },
  ],
  challenge_phases: PHASES,
  dataset_splits: [
    { id: 1, name: "Dev", codename: "dev_split" },
    { id: 2, name: "Test", codename: "test_split" },
  ],
  challenge_phase_splits: [SPLIT, { ...SPLIT, challenge_phase_id: 2, dataset_split_id: 2 }],
};
const FILES = {
  "evaluation_script/__init__.py": "from .main import evaluate\n",
  "evaluation_script/main.py": "def evaluate(a, b, c, **kwargs): return {'result': [{'s': {'Error': 1}}]}\n",
  "annotations/dev.json": "[1]",
  "annotations/test.json": "[2]",
  ...Object.fromEntries(
    ["description", "evaluation", "terms", "guide", "dev"].map((name) => [
      `templates/${name}.html`,
      `<p>The ${name}.</p>`,
    ]),
  ),
  "logo.jpg": "jpg",
};

async function importing(changes: object = {}, files: Parameters<typeof folderOf>[0] = {}) {
  const all = { ...FILES, "challenge_config.yaml": stringify({ ...CONFIG, ...changes }), ...files };
  const root = await folderOf(
    Object.fromEntries(Object.entries(all).map(([name, body]) => [`bundle/${name}`, body])),
  );
  const options = { bundle: join(root, "bundle"), into: join(root, "challenges"), id: null, dryRun: false };
  return await importChallenge(options);
}

describe("a bundle of EvalAI", () => {
  it("becomes a challenge folder: rounds, limits, scores, columns, pages and files", async () => {
    const { folder, leftOut } = await importing();
    expect(folder.config).toMatchObject({
      ...{ id: "count-leaves", title: "Count leaves" },
      description: [
        ...[
          "How many?",
          "The description.",
          "## Evaluation",
          "The evaluation.",
          "## How to submit",
          "The guide.",
        ],
        ...["## Dev phase", "The dev.", "## Terms and conditions", "The terms."],
      ].join("\n\n"),
      score: { title: "Error", order: "ascending", precision: 4 },
      columns: [{ key: "Accuracy", title: "Accuracy", order: "descending", precision: 4 }],
      rounds: [
        {
          ...{ id: "dev", title: "Dev phase", starts_at: "2026-01-01T00:00:00.000Z" },
          ...{ ends_at: "2026-05-31T23:59:59.000Z", limit: { count: 5, per: "day", scope: "round" } },
        },
        { id: "test_2026", ends_at: null, limit: { count: 10, per: "round" }, parallel_limit: 2 },
      ],
      accepts: { file: { extensions: [".json", ".zip"] } },
      evaluator: {
        ...{ evalai: "evaluation_script/", metric: "Error" },
        annotations: { dev: "private/dev.json", test_2026: "private/test.json" },
      },
      visibility: { leaderboard: true },
    });
    expect((await readdir(folder.dir, { recursive: true })).sort()).toEqual([
      ...[
        "challenge.json",
        "evaluation_script",
        "evaluation_script/__init__.py",
        "evaluation_script/main.py",
      ],
      ...["private", "private/dev.json", "private/test.json", "public", "public/logo.jpg"],
    ]);
    expect(leftOut.map(({ what }) => what)).toEqual([]);
  });

  it("may have its script in an archive, and annotations that are one", async () => {
    const phases = PHASES.map((one) => ({ ...one, test_annotation_file: "annotations/all.tar" }));
    const script = await archiveOf({ "evaluation_script/main.py": "def evaluate(): pass" });
    const files = { "evaluation_script.zip": script, "annotations/all.tar": script };
    const { folder } = await importing({ challenge_phases: phases }, files);
    expect(folder.config.evaluator).toMatchObject({ annotations: "private/all.tar" });
    expect(await readdir(join(folder.dir, "evaluation_script"))).toEqual(["main.py"]);
    expect(await readFile(join(folder.dir, "private/all.tar"))).toEqual(Buffer.from(script));
  });

  it("shows the split that is public in all phases, and hides those that the host alone sees", async () => {
    const splits = [
      { ...SPLIT, dataset_split_id: 2, visibility: 1 },
      ...[SPLIT, { ...SPLIT, challenge_phase_id: 2 }],
    ];
    const { folder } = await importing({ challenge_phase_splits: splits });
    expect(folder.config).toMatchObject({
      evaluator: { metric: "dev_split.Error", private_results: ["test_split"] },
      columns: [{ key: "dev_split.Accuracy", title: "Accuracy" }],
    });
  });

  it("shows a split that all phases have and some show, rather than one that is hidden", async () => {
    const test = { ...SPLIT, challenge_phase_id: 2 };
    const splits = [{ ...SPLIT, visibility: 1 }, { ...test, dataset_split_id: 2, visibility: 1 }, test];
    const { folder } = await importing({ challenge_phase_splits: splits });
    expect(folder.config.evaluator).toMatchObject({
      ...{ metric: "dev_split.Error", private_results: ["test_split"] },
    });
  });

  it("may have another name for its configuration, as archives for EvalAI do", async () => {
    const root = await folderOf({ ...FILES, "zip_challenge.yaml": stringify(CONFIG), "notes.yaml": "a: 1" });
    const options = { bundle: root, into: join(root, "out"), id: null, dryRun: true };
    expect((await importChallenge(options)).folder.config.title).toBe("Count leaves");
  });

  it("hides its boards when some are hidden, and lists what else it cannot carry over", async () => {
    const phases = [
      {
        ...PHASES[0],
        is_public: false,
        max_submissions: 50,
        max_submissions_per_month: 20,
        codename: "-dev",
      },
      { ...PHASES[1], leaderboard_public: false, submission_meta_attributes: [{ name: "x" }], sponsor: "x" },
    ];
    const changes = { challenge_phases: phases, tags: ["a"], allowed_email_domains: [], published: false };
    const splits = [SPLIT, { ...SPLIT, challenge_phase_id: 2, visibility: 1 }];
    const { folder, leftOut } = await importing({ ...changes, challenge_phase_splits: splits });
    expect(folder.config.visibility.leaderboard).toBe(false);
    expect(folder.config.rounds[0]!.id).toBe("dev");
    expect(leftOut.map(({ what }) => what)).toEqual([
      "tags",
      "published: false",
      'phase "Dev phase": codename "-dev"',
      'hidden scores of phase "Test phase"',
      'hidden split dev_split of phase "Test phase"',
      'phase "Dev phase": is_public: false',
      'phase "Dev phase": max_submissions (50)',
      'phase "Dev phase": max_submissions_per_month (20)',
      'phase "Test phase": submission_meta_attributes',
      'phase "Test phase": sponsor',
      "public leaderboards of some phases",
    ]);
  });

  it.each([
    [{ remote_evaluation: true }, "remote_evaluation: submissions are evaluated on another machine"],
    [{ is_docker_based: "True" }, "submissions are images, which are not run here"],
    [{ evaluation_script: "none.zip" }, 'evaluation_script: "none.zip" is not in the bundle'],
    [{ challenge_phases: [{ ...PHASES[0], test_annotation_file: "../x" }] }, "leads out of the bundle"],
    [
      { challenge_phases: [PHASES[0], { id: 2, name: "x" }] },
      'phase "x": test_annotation_file: expected a file, got none',
    ],
    [{ challenge_phases: [PHASES[0], PHASES[0]] }, 'rounds[1].id: expected a unique id, got "dev"'],
    [{ leaderboard: [{ id: 1, schema: { labels: [] } }] }, "leaderboard[0].schema.labels: expected a label"],
    [
      { leaderboard: [{ id: 1, schema: { labels: ["a"], default_order_by: "b" } }] },
      '"b" is none of the labels',
    ],
    [{ challenge_phase_splits: [{ ...SPLIT, dataset_split_id: 9 }] }, "there is no dataset split 9"],
    [{ title: ["x"] }, "title: expected text"],
  ])("is refused with %j", async (changes, message) => {
    await expect(importing(changes)).rejects.toMatchObject({
      code: "bundle_invalid",
      message: expect.stringContaining(message),
    });
  });
});
