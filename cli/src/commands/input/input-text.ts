/** Names an input within a sentence. */
export function inputText({ file }: { file?: string }): string {
  if (file === undefined) return "a JSON value";
  return file === "-" ? "standard input" : file;
}
