import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Io } from "../../terminal/io.ts";
import { plainLine } from "../../terminal/plain-text.ts";

const MAX_MS = 5000;
const MAX_TEXT = 200;

export interface Notification {
  title: string;
  body: string;
}

/** The program that shows a notification, with its arguments: texts are never part of a script. */
interface Program {
  file: string;
  args: string[];
  env?: Record<string, string>;
}

/**
 * Shows a notification: by the desktop's program, where there is one, else by the terminal, which also rings
 * its bell. Neither a failure nor a program that hangs delays the command for long. `isTerminal` is whether
 * stderr is one that understands escape sequences.
 */
export async function showNotification(
  io: Pick<Io, "env" | "stderr">,
  { title, body }: Notification,
  isTerminal: boolean,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  const shown = { title: cut(title), body: cut(body) };
  const program = programFor(platform, io.env, shown);
  const isShown = program !== null && (await runs(program, io.env));
  if (!isTerminal) return;
  io.stderr.write(`${isShown ? "" : terminalSequence(io.env, shown)}\u0007`);
}

function cut(text: string): string {
  const line = plainLine(text);
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line;
}

const APPLE_SCRIPT = [
  "on run argv",
  "display notification (item 2 of argv) with title (item 1 of argv)",
  "end run",
];

/** Windows passes arguments of PowerShell to its parser: the texts are in the environment instead. */
const TOAST = `
$kind = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$xml = $kind::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$texts = $xml.GetElementsByTagName('text')
$texts.Item(0).InnerText = $env:CROWDAI_NOTIFY_TITLE
$texts.Item(1).InnerText = $env:CROWDAI_NOTIFY_BODY
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
$kind::CreateToastNotifier($app).Show([Windows.UI.Notifications.ToastNotification]::new($xml))
`;

function programFor(
  platform: NodeJS.Platform,
  env: Io["env"],
  { title, body }: Notification,
): Program | null {
  if (platform === "darwin")
    return {
      file: "/usr/bin/osascript",
      args: [...APPLE_SCRIPT.flatMap((line) => ["-e", line]), "--", title, body],
    };
  if (platform === "win32")
    return {
      file: join(env.SystemRoot ?? "C:\\Windows", "System32\\WindowsPowerShell\\v1.0\\powershell.exe"),
      args: ["-NoProfile", "-NonInteractive", "-Command", TOAST],
      env: { CROWDAI_NOTIFY_TITLE: title, CROWDAI_NOTIFY_BODY: body },
    };
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return null;
  // The body may be markup.
  const escaped = body.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return { file: "notify-send", args: ["--app-name=crowdai", "--", title, escaped] };
}

/** Resolves to whether the program was found and succeeded. */
function runs({ file, args, env = {} }: Program, own: Io["env"]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: "ignore",
      env: { ...own, ...env },
      timeout: MAX_MS,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
  });
}

/** OSC 9, which most terminals understand, or OSC 777 for those that only know that. */
function terminalSequence(env: Io["env"], { title, body }: Notification): string {
  if (env.VTE_VERSION || /^(rxvt|foot)/.test(env.TERM ?? ""))
    return `\u001b]777;notify;${title.replaceAll(";", ",")};${body}\u001b\\`;
  return `\u001b]9;${title}: ${body}\u001b\\`;
}
