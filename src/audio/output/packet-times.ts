import * as v from 'valibot';

/** When packets passed the audio-output child, for the voice trace: an event beside the packets themselves. */

const ns = v.pipe(
  v.string(),
  v.regex(/^\d{1,19}$/, 'is a time in ns'),
  v.transform((text) => BigInt(text)),
);

/** Data of the event `trace`; CLOCK_MONOTONIC ns as text, since JSON has no such numbers. */
export const packetTimesSchema = v.strictObject({
  packets: v.pipe(
    v.array(v.strictObject({ captureNs: ns, encodedNs: ns, sentNs: ns })),
    v.maxLength(256),
  ),
});

export type PacketTimes = v.InferOutput<typeof packetTimesSchema>['packets'][number];

/** The event's data. */
export function packetTimesData(packets: readonly PacketTimes[]): Record<string, unknown> {
  return {
    packets: packets.map(({ captureNs, encodedNs, sentNs }) => ({
      captureNs: String(captureNs),
      encodedNs: String(encodedNs),
      sentNs: String(sentNs),
    })),
  };
}

/** The packets of the event `trace`; none when its data is something else. */
export function readPacketTimes(data: Readonly<Record<string, unknown>>): readonly PacketTimes[] {
  const result = v.safeParse(packetTimesSchema, data);
  return result.success ? result.output.packets : [];
}
