import * as v from 'valibot';

export const parities = ['none', 'even', 'odd'] as const;
export const flowControls = ['none', 'rtscts', 'xonxoff'] as const;

const entries = {
  /** Bits per second, standard or not; what the hardware cannot do, its driver refuses or rounds. */
  baudRate: v.pipe(v.number(), v.integer(), v.minValue(50), v.maxValue(4_000_000)),
  dataBits: v.picklist([5, 6, 7, 8]),
  parity: v.picklist(parities),
  stopBits: v.picklist([1, 2]),
  /** `rtscts`: by the lines RTS and CTS. `xonxoff`: by the bytes 0x11 and 0x13, which then do not pass. */
  flowControl: v.picklist(flowControls),
};

/** How a serial line is set: rate, framing and flow control, the same at both ends. */
export const serialLineSchema = v.strictObject(entries);
export type SerialLine = v.InferOutput<typeof serialLineSchema>;

/** A change of the line; what is left out stays. */
export const setSerialLineSchema = v.partial(serialLineSchema);
export type SetSerialLine = v.InferOutput<typeof setSerialLineSchema>;

/** `line` with what `change` says of it. */
export function changedLine(line: SerialLine, change: SetSerialLine): SerialLine {
  return {
    baudRate: change.baudRate ?? line.baudRate,
    dataBits: change.dataBits ?? line.dataBits,
    parity: change.parity ?? line.parity,
    stopBits: change.stopBits ?? line.stopBits,
    flowControl: change.flowControl ?? line.flowControl,
  };
}

/** `115200 8N1`, `9600 7E2 rtscts` */
export function lineText(line: SerialLine): string {
  const { baudRate, dataBits, parity, stopBits, flowControl } = line;
  const framing = `${dataBits}${parity.slice(0, 1).toUpperCase()}${stopBits}`;
  return `${baudRate} ${framing}${flowControl === 'none' ? '' : ` ${flowControl}`}`;
}
