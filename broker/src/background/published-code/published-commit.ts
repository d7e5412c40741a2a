const PLAIN_AUTHORS = new Set(["", "participant"]);

/** The commit as it stands in the public repository: same author, message and trailers, another tree and another past. */
export function publishedCommitText(final: string, tree: string, parent: string | null): string {
  const end = final.indexOf("\n\n");
  const kept = final
    .slice(0, end)
    .split("\n")
    .filter((line) => line.startsWith("author ") || line.startsWith("committer "));
  return (
    [`tree ${tree}`, ...(parent === null ? [] : [`parent ${parent}`]), ...kept].join("\n") + final.slice(end)
  );
}

/** Who the licence names: the commit's author, or the participant where the commit names nobody. */
export function licenseHolder(final: string, participant: string): string {
  const author = /^author ([^<\n]*) </m.exec(final)?.[1]?.trim() ?? "";
  return PLAIN_AUTHORS.has(author) ? participant : author;
}
