/** The platforms for which there is an executable: its file, and Bun's name of the platform. */
export const TARGETS = [
  { file: "crowdai-linux-x64", bun: "bun-linux-x64" },
  { file: "crowdai-linux-x64-musl", bun: "bun-linux-x64-musl" },
  { file: "crowdai-linux-arm64", bun: "bun-linux-arm64" },
  { file: "crowdai-linux-arm64-musl", bun: "bun-linux-arm64-musl" },
  { file: "crowdai-darwin-x64", bun: "bun-darwin-x64" },
  { file: "crowdai-darwin-arm64", bun: "bun-darwin-arm64" },
  { file: "crowdai-windows-x64.exe", bun: "bun-windows-x64" },
] as const;

export type Target = (typeof TARGETS)[number];

/** Returns the executable that runs on this machine, if there is one. */
export function ownTarget(): Target | undefined {
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } })
    .header;
  const libc = process.platform === "linux" && !glibcVersionRuntime ? "-musl" : "";
  const system = process.platform === "win32" ? "windows" : process.platform;
  return TARGETS.find(({ bun }) => bun === `bun-${system}-${process.arch}${libc}`);
}
