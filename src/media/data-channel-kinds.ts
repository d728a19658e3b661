import { fastLaneLabel, fastLaneProtocol, maxFastLaneMessageBytes } from './fast-lane-packets.ts';
import { hidProtocol, keysLabel, maxHidMessageBytes, pointerLabel } from './hid-channels.ts';

/** Channel types of DATA_CHANNEL_OPEN (RFC 8832 §5.1) that are used here. */
const channelTypes = { reliable: 0x00, rexmitUnordered: 0x81 } as const;

/** One kind of data channel that a viewer may open, one of each at a time. */
export interface DataChannelKind {
  readonly label: string;
  readonly protocol: string;
  readonly type: (typeof channelTypes)[keyof typeof channelTypes];
  /** Of the viewer's messages, in bytes. */
  readonly maxMessageBytes: number;
  /** Of the device's messages. */
  readonly maxSendBytes: number;
  /** Messages of the viewer; where there is none, whoever receives them counts. */
  readonly messageRate?: { readonly perSecond: number; readonly burst: number };
}

export const dataChannelKinds = {
  /** The host's sound (FAST-LANE.md). Viewers ping four times a second. */
  'fast-lane': {
    label: fastLaneLabel,
    protocol: fastLaneProtocol,
    type: channelTypes.rexmitUnordered,
    maxMessageBytes: maxFastLaneMessageBytes,
    maxSendBytes: maxFastLaneMessageBytes,
    messageRate: { perSecond: 100, burst: 100 },
  },
  /** Keys, buttons and whatever else has to come, in order. */
  keys: {
    label: keysLabel,
    protocol: hidProtocol,
    type: channelTypes.reliable,
    ...maxHidMessageBytes,
  },
  /** Where the pointer is: the newest counts. */
  pointer: {
    label: pointerLabel,
    protocol: hidProtocol,
    type: channelTypes.rexmitUnordered,
    ...maxHidMessageBytes,
  },
} as const satisfies Record<string, DataChannelKind>;

export type DataChannelName = keyof typeof dataChannelKinds;

/** The kind a DATA_CHANNEL_OPEN (RFC 8832 §5.1) asks for; undefined: none of `names`. */
export function kindOf(
  open: Buffer,
  names: readonly DataChannelName[],
): DataChannelName | undefined {
  if (open.length < 12) return undefined;
  const labelBytes = open.readUInt16BE(8);
  const protocolBytes = open.readUInt16BE(10);
  if (open.length !== 12 + labelBytes + protocolBytes) return undefined;
  const type = open.readUInt8(1);
  const label = open.toString('utf8', 12, 12 + labelBytes);
  const protocol = open.toString('utf8', 12 + labelBytes);
  // The reliability parameter counts retransmissions; a reliable channel's is ignored (§5.1).
  const parameter = type === channelTypes.reliable ? 0 : open.readUInt32BE(4);
  return names.find((name) => {
    const kind = dataChannelKinds[name];
    return (
      parameter === 0 && type === kind.type && label === kind.label && protocol === kind.protocol
    );
  });
}

export function isReliable(name: DataChannelName): boolean {
  return dataChannelKinds[name].type === channelTypes.reliable;
}
