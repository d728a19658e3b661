import type { SerialStatus } from '../../control/serial/serial-status.ts';
import type { ConsoleState } from './terminal/console-link.ts';

/** What is said of the host's serial console. */

/** How the port stands. */
export function portWords({ state, port, consoles }: SerialStatus): string {
  switch (state) {
    case 'none':
      return 'No port';
    case 'opening':
      return `Waiting for ${port}`;
    case 'open':
      return consoles === 0 ? `Open on ${port}` : `Open on ${port}, ${consoles} looking`;
  }
}

/** How a console on this page stands, and who writes. */
export function consoleWords(
  { connection, status, isWriter, notice, name }: ConsoleState,
  leaveKeys: string,
): string {
  if (connection === 'connecting') return 'Connecting to the console.';
  if (connection === 'lost') return `${notice} Trying again.`;
  const said = notice === '' ? '' : ` ${notice}`;
  if (isWriter) {
    return `What you type goes to the host. Press and let go ${leaveKeys} to leave.${said}`;
  }
  const writer = status?.writer ?? null;
  if (writer === null || writer === name) return `You only read; nobody writes.${said}`;
  return said === '' ? `You only read: the console ${writer} writes.` : said.trim();
}
