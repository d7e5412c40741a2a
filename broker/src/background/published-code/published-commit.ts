const PLAIN_AUTHORS = new Set(["", "participant"]);

/**
 * Returns the text of a commit in the public repository: the same author, message and trailers, with another
 * tree and parent.
 */
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

/** Returns the license holder: the commit's author, or the participant when the commit names no one. */
export function licenseHolder(final: string, participant: string): string {
  const author = /^author ([^<\n]*) </m.exec(final)?.[1]?.trim() ?? "";
  return PLAIN_AUTHORS.has(author) ? participant : author;
}
