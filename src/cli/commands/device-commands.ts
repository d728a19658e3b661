import { devicesSchema } from '../../api/schema.ts';
import { type Command, print } from '../command.ts';
import { textTable } from '../text-table.ts';

/** The commands that list and choose the sound device of one direction. */
export function deviceCommands(options: {
  /** The family they belong to, e.g. `audio`. */
  readonly family: string;
  /** Of the API, without `devices` and `device`. */
  readonly path: string;
  /** What the devices are for, e.g. `capture`. */
  readonly kind: string;
  /** What choosing one does, e.g. `Capture from`. */
  readonly choose: string;
  /** Says which one is chosen, e.g. `capturing from`. */
  readonly chosen: string;
}): { readonly devices: Command; readonly device: Command } {
  const { family, path, kind, choose, chosen } = options;
  const devices: Command = {
    words: [family, 'devices'],
    arguments: '',
    minArguments: 0,
    maxArguments: 0,
    summary: `List the ${kind} devices; * marks the one in use.`,
    options: {},
    run: async (invocation) => {
      const answer = await invocation.client.get(`${path}/devices`, devicesSchema);
      print(invocation, answer, () =>
        textTable(
          ['', 'DEVICE', 'DESCRIPTION'],
          answer.devices.map(({ id, description }) => [
            id === answer.current ? '*' : '',
            id,
            description,
          ]),
        ),
      );
    },
  };
  const device: Command = {
    words: [family, 'device'],
    arguments: 'ID',
    minArguments: 1,
    maxArguments: 1,
    summary: `${choose} another device, by an id of ${family} devices; takes effect at once and lasts.`,
    options: {},
    run: async (invocation) => {
      const [id] = invocation.positionals;
      const answer = await invocation.client.post(`${path}/device`, { device: id }, devicesSchema);
      print(invocation, answer, () => `${chosen} ${answer.current}\n`);
    },
  };
  return { devices, device };
}
