/** Why there is no path to the device, in words for a person. */

/** Kinds of addresses (RFC 8839 §5.1), as a person may know them. */
const addressNames: Readonly<Record<string, string>> = {
  host: 'its own address',
  srflx: 'its public address',
  prflx: 'its public address',
  relay: 'a relay',
};

export interface PathsTried {
  /** Candidate lines of this browser, and of the device. */
  readonly own: readonly string[];
  readonly theirs: readonly string[];
  readonly isRelayConfigured: boolean;
}

interface Address {
  readonly name: string;
  readonly transport: string;
}

function addressOf(candidate: string): Address | undefined {
  const [, transport, type] =
    /^(?:a=)?candidate:\S+ \d+ (\S+) \d+ \S+ \d+ typ (\S+)/i.exec(candidate) ?? [];
  const name = addressNames[type?.toLowerCase() ?? ''];
  if (name === undefined || transport === undefined) return undefined;
  return { name, transport: transport.toUpperCase() };
}

/** E.g. `its own address (UDP, TCP) and a relay (UDP)`. */
function listed(addresses: readonly Address[]): string {
  const transports = new Map<string, Set<string>>();
  for (const { name, transport } of addresses) {
    transports.set(name, (transports.get(name) ?? new Set()).add(transport));
  }
  return [...transports].map(([name, of]) => `${name} (${[...of].join(', ')})`).join(' and ');
}

/** What was tried on both sides, and what that says. */
export function describeUnreachable({ own, theirs, isRelayConfigured }: PathsTried): string {
  const here = own.flatMap((line) => addressOf(line) ?? []);
  const there = theirs.flatMap((line) => addressOf(line) ?? []);
  const found = 'No network path to the device was found.';
  if (there.length === 0) return `${found} The device offered no address to reach it at.`;
  if (here.length === 0) {
    return `${found} This browser offered no address of its own; its privacy settings or a VPN may forbid it.`;
  }
  const tried = `Tried: this browser by ${listed(here)}, the device by ${listed(there)}.`;
  const withTcp = there.some(({ transport }) => transport === 'TCP');
  const blocked = withTcp
    ? 'Neither UDP nor TCP passes between here and there.'
    : 'UDP is blocked between here and there.';
  return `${found} ${tried} ${blocked} ${relayWords(here, isRelayConfigured)}`;
}

function relayWords(here: readonly Address[], isRelayConfigured: boolean): string {
  if (!isRelayConfigured) return 'No relay is configured on the device.';
  return here.some(({ name }) => name === addressNames['relay'])
    ? 'The relay did not help.'
    : 'The relay did not answer.';
}

/** The candidate lines of a description (RFC 8839 §5.1). */
export function candidatesOf(sdp: string): string[] {
  return [...sdp.matchAll(/^a=(candidate:.*?)\r?$/gm)].map(([, line = '']) => line);
}
