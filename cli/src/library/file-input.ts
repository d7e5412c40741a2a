/**
 * A file to submit. `name` is the name that the broker stores; it defaults to the last part of the path.
 *
 * @example
 * await challenge.submit({ file: "out/predictions.csv", name: "forest.csv" });
 */
export interface FileInput {
  file: string;
  name?: string;
}

export function isFileInput(input: unknown): input is FileInput {
  if (typeof input !== "object" || input === null || !("file" in input) || typeof input.file !== "string")
    return false;
  return Object.keys(input).every((key) => key === "file" || key === "name");
}
