import { useState } from 'preact/hooks';
import { flowControls, parities, type SetSerialLine } from '../../../control/serial/serial-line.ts';
import type { SerialStatus } from '../../../control/serial/serial-status.ts';
import { Choice } from '../../components/choice.tsx';
import { Dialog } from './dialog.tsx';

const rates = [
  '1200',
  '9600',
  '19200',
  '38400',
  '57600',
  '115200',
  '230400',
  '460800',
  '921600',
  '1500000',
];
const dataBits = ['5', '6', '7', '8'] as const;
const stopBits = ['1', '2'] as const;
const parityTexts = { none: 'None', even: 'Even', odd: 'Odd' } as const;
const flowTexts = { none: 'None', rtscts: 'RTS/CTS', xonxoff: 'XON/XOFF' } as const;

/** Rate, framing and flow control of the host's serial line. */
export function LineDialog({
  serial,
  error,
  onSet,
  onClose,
}: {
  readonly serial: SerialStatus;
  readonly error: string;
  readonly onSet: (line: SetSerialLine) => Promise<boolean>;
  readonly onClose: () => void;
}) {
  const [line, setLine] = useState(serial.line);
  return (
    <Dialog title="Serial line" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void onSet(line).then((isSet) => isSet && onClose());
        }}
      >
        <label class="field">
          <span>Bits per second</span>
          <input
            class="text-input"
            type="number"
            list="serial-rates"
            required
            min={50}
            max={4_000_000}
            value={line.baudRate}
            onInput={({ currentTarget }) =>
              setLine({ ...line, baudRate: currentTarget.valueAsNumber })
            }
          />
          <datalist id="serial-rates">
            {rates.map((rate) => (
              <option key={rate} value={rate} />
            ))}
          </datalist>
        </label>
        <Choice
          label="Data bits"
          value={dataBits.find((bits) => Number(bits) === line.dataBits) ?? '8'}
          options={dataBits.map((value) => ({ value, text: value }))}
          onChoose={(bits) => setLine({ ...line, dataBits: bitsOf[bits] })}
        />
        <Choice
          label="Parity"
          value={line.parity}
          options={parities.map((value) => ({ value, text: parityTexts[value] }))}
          onChoose={(parity) => setLine({ ...line, parity })}
        />
        <Choice
          label="Stop bits"
          value={line.stopBits === 2 ? '2' : '1'}
          options={stopBits.map((value) => ({ value, text: value }))}
          onChoose={(bits) => setLine({ ...line, stopBits: bits === '2' ? 2 : 1 })}
        />
        <Choice
          label="Flow control"
          value={line.flowControl}
          options={flowControls.map((value) => ({ value, text: flowTexts[value] }))}
          onChoose={(flowControl) => setLine({ ...line, flowControl })}
        />
        {error !== '' && (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        <div class="dialog-buttons">
          <button type="submit" class="button button-main">
            Set
          </button>
          <p class="note">For everybody, at once, and kept.</p>
        </div>
      </form>
    </Dialog>
  );
}

const bitsOf = { 5: 5, 6: 6, 7: 7, 8: 8 } as const;
