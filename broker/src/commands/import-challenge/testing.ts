import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packTar } from "modern-tar";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";

type Content = string | Uint8Array | { link: string };

/** A temporary folder with files, by path. It is gone when the test is. */
export async function folderOf(files: Record<string, Content>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "crowdai-import-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    if (typeof content === "object" && "link" in content) await symlink(content.link, path);
    else {
      await writeFile(path, content);
      await chmod(path, 0o644);
    }
  }
  return dir;
}

/** An archive of files, by path. */
export const archiveOf = (files: Record<string, string>): Promise<Uint8Array> =>
  packTar(
    Object.entries(files).map(([name, body]) => ({
      header: { name, size: Buffer.byteLength(body) },
      body,
    })),
  );

/** A small bundle of Codabench: the number of right digits of pi. */
export const CODABENCH = {
  version: 2,
  title: "Digits of π",
  description: "Write pi.",
  image: "logo.png",
  terms: "terms.md",
  pages: [{ title: "Overview", file: "overview.html" }],
  tasks: [{ index: 7, name: "Digits", scoring_program: "scoring_program", reference_data: "reference" }],
  phases: [
    {
      index: 0,
      name: "Übung",
      start: "2026-01-01",
      end: "2026-06-30 12:00:00",
      max_submissions_per_day: 5,
      tasks: [7],
    },
    { index: 1, name: "Final", start: "2026-07-01 00:00:00+02:00", max_submissions: 3, tasks: [7] },
  ],
  leaderboards: [
    {
      title: "Results",
      key: "main",
      columns: [
        { title: "Error", key: "error", index: 1, sorting: "asc", precision: 4 },
        { title: "Right digits", key: "right", index: 0, sorting: "desc", precision: 0 },
        { title: "Digits", key: "digits", index: 2, sorting: "desc" },
        { title: "Time", key: "seconds", index: 3, sorting: "asc", hidden: true },
      ],
    },
  ],
};

const SCORE = `import json, os, sys
source, target = sys.argv[1:3]
def read(folder):
    with open(os.path.join(source, folder, "pi.txt")) as file:
        return file.read().strip()
truth, given = read("ref"), read("res")
with open(os.path.join(target, "scores.json"), "w") as file:
    json.dump({
        "right": sum(a == b for a, b in zip(truth, given)),
        "error": abs(float(truth) - float(given)),
        "digits": len(given),
        "seconds": 0.1,
    }, file)
with open(os.path.join(target, "detailed_results.html"), "w") as file:
    file.write("<h1>Digit by digit</h1><script>document.title = 'run'</script>")
`;

/** The files of the bundle, with changes of its configuration. */
export function codabenchFiles(changes: object | string = {}): Record<string, string> {
  return {
    "competition.yaml": typeof changes === "string" ? changes : stringify({ ...CODABENCH, ...changes }),
    "logo.png": "\x89PNG",
    "terms.md": "Be *fair*.",
    "overview.html": "<h1>Overview</h1><p>Digits &amp; <b>more</b>.</p>",
    "scoring_program/metadata": "command: python3 $program/score.py $input $output\n",
    "scoring_program/score.py": SCORE,
    "reference/pi.txt": "3.14159265\n",
  };
}
