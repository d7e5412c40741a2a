import type { CommandContext } from "./commands/handler.ts";
import { clientName } from "./connection/client-name.ts";
import { createConnection } from "./connection/connection.ts";
import type { Keychain } from "./credentials/keychain.ts";
import { type GlobalOptions, outputOptions } from "./program/common-options.ts";
import type { Io } from "./terminal/io.ts";
import { createTerminal } from "./terminal/terminal.ts";

/** Makes the parts that a command takes; what is expensive in them is made on first use. */
export function createContext(
  io: Io,
  {
    options,
    version,
    keychain,
  }: { options: GlobalOptions; version: string; keychain?: Keychain | undefined },
): CommandContext {
  const terminal = createTerminal({ ...io, ...outputOptions(options) });
  const { broker, challenge } = options;
  const client = clientName(version);
  const connection = createConnection({ io, terminal, flags: { broker, challenge }, client, keychain });
  return { io, connection, terminal };
}
