import type { CommandContext } from "./commands/handler.ts";
import type { Facts } from "./commands/submission/facts.ts";
import { clientName } from "./connection/client-name.ts";
import { createConnection } from "./connection/connection.ts";
import type { Keychain } from "./credentials/keychain.ts";
import { type GlobalOptions, outputOptions } from "./program/common-options.ts";
import type { Io } from "./terminal/io.ts";
import { createTerminal } from "./terminal/terminal.ts";

export interface ContextOptions {
  options: GlobalOptions;
  version: string;
  /** The facts that the command collects for the report of a CI job. */
  facts: Facts;
  keychain?: Keychain | undefined;
  /** Gets the API key before it is used. */
  onKey?: ((key: string) => void) | undefined;
}

/** Makes the parts that a command takes; what is expensive in them is made on first use. */
export function createContext(
  io: Io,
  { options, version, facts, keychain, onKey }: ContextOptions,
): CommandContext {
  const terminal = createTerminal({ ...io, ...outputOptions(options) });
  const { broker, challenge } = options;
  const client = clientName(version);
  const connection = createConnection({
    io,
    terminal,
    flags: { broker, challenge },
    client,
    keychain,
    onKey,
  });
  return { io, connection, terminal, facts };
}
