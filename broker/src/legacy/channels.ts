import { CrowdaiError } from "@crowdai/shared";

/** "<challenge>::<uuid4>": not an event of the live protocol, and not a name that socket.io reserves. */
const CHANNEL =
  /^[A-Za-z0-9][\w.-]{0,99}::[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
/** How many channels of a connection are remembered. */
const REMEMBERED = 1000;

/** The event names on which clients asked for progress, each owned by one connection. */
export function createChannels() {
  const owners = new Map<string, string>();
  const owned = new Map<string, string[]>();
  return {
    /** Throws usage for a name that is not a channel, or belongs to another connection. */
    claim(channel: string, connection: string): void {
      if (!CHANNEL.test(channel))
        throw new CrowdaiError("usage", 'response_channel: expected "<challenge>::<uuid4>".');
      const owner = owners.get(channel);
      if (owner === connection) return;
      if (owner !== undefined)
        throw new CrowdaiError("usage", "response_channel: another connection listens on it.");
      const mine = owned.get(connection) ?? [];
      owned.set(connection, mine);
      owners.set(channel, connection);
      if (mine.push(channel) > REMEMBERED) owners.delete(mine.shift() as string);
    },
    release(connection: string): void {
      for (const channel of owned.get(connection) ?? []) owners.delete(channel);
      owned.delete(connection);
    },
  };
}
export type Channels = ReturnType<typeof createChannels>;
