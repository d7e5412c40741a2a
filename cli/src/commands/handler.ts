import type { Command } from "commander";
import type { Connection } from "../connection/connection.ts";
import type { Io } from "../terminal/io.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Facts } from "./submission/facts.ts";

/** The parts that main.ts makes for a command; each command takes those that it uses. */
export interface CommandContext {
  io: Io;
  connection: Connection;
  terminal: Terminal;
  /** The facts that the command collects for the report of a CI job. */
  facts: Facts;
}

/** Runs a command with its arguments and options by name, and resolves to the exit code. */
export type Handler = (
  context: CommandContext,
  args: never,
  options: never,
  command: Command,
) => Promise<number>;
