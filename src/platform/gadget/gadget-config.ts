import * as v from 'valibot';

/** The part of the configuration that says what the device is on the host's USB port. */

const id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xff_ff));

/** Bytes of UTF-8 that the kernel takes for a string of a USB descriptor (USB_MAX_STRING_LEN). */
const maxStringBytes = 126;

const text = v.pipe(
  v.string(),
  v.maxLength(maxStringBytes),
  v.regex(/^[^\p{Cc}]*$/u, 'has no control characters'),
  v.check(
    (value) => Buffer.byteLength(value) <= maxStringBytes,
    `takes at most ${maxStringBytes} bytes of UTF-8`,
  ),
);

const rateHz = v.pipe(v.number(), v.integer(), v.minValue(8_000), v.maxValue(192_000));
const channels = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2));
const endpointCount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(15));

export const soundFunctions = ['uac1', 'uac2', 'none'] as const;

export const gadgetSchema = v.strictObject({
  /** Whether the device is a USB device at all. */
  enabled: v.optional(v.boolean(), false),
  /** Name of the USB device controller (UDC) in /sys/class/udc; empty: the only one there is. */
  controller: v.optional(
    v.pipe(v.string(), v.maxLength(64), v.regex(/^[\w.:-]*$/, 'is a name in /sys/class/udc')),
    '',
  ),
  /** What the host sees in the device's descriptors. */
  identity: v.optional(
    v.strictObject({
      /** idVendor and idProduct; Linux Foundation, multifunction composite gadget. */
      vendorId: v.optional(id, 0x1d_6b),
      productId: v.optional(id, 0x01_04),
      /** bcdDevice: 0x0100 is release 1.00. */
      deviceVersion: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0x99_99)),
        0x01_00,
      ),
      manufacturer: v.optional(text, 'Earshot'),
      product: v.optional(text, 'Earshot KVM'),
      /** Empty: made from the machine's id, so that two devices on one host differ. */
      serialNumber: v.optional(text, ''),
    }),
    {},
  ),
  /** What the device may draw from the port, in mA. */
  maxPowerMa: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(500)), 250),
  /** Whether the host may be woken from its sleep (bmAttributes). */
  remoteWakeup: v.optional(v.boolean(), true),
  /** Boot keyboard with its LEDs. */
  keyboard: v.optional(v.boolean(), true),
  /** Pointer with absolute coordinates. */
  absolute: v.optional(v.boolean(), true),
  /** Mouse with relative motion, wheel and horizontal wheel. */
  relative: v.optional(v.boolean(), true),
  /** Media keys (consumer control) and power keys (system control). */
  mediaKeys: v.optional(v.boolean(), true),
  /**
   * Whether pointers and media keys share one USB interface: `always`, `never`, or `auto`, when the
   * controller has too few endpoints for an interface each. The keyboard keeps its own, for the BIOS.
   */
  combineHid: v.optional(v.picklist(['auto', 'always', 'never']), 'auto'),
  /** Serial port: /dev/ttyGS0 here, a CDC ACM modem at the host. */
  serial: v.optional(v.boolean(), true),
  /** A sound card in both directions. */
  sound: v.optional(
    v.strictObject({
      /** USB audio class 1 (every host; card `UAC1Gadget` here), class 2 (card `UAC2Gadget`), or none. */
      kind: v.optional(v.picklist(soundFunctions), 'uac1'),
      /** Samples a second, both ways. */
      rateHz: v.optional(rateHz, 48_000),
      /** Of the host's sound; 0: none. */
      outputChannels: v.optional(channels, 2),
      /** Of the microphone; 0: none. */
      inputChannels: v.optional(channels, 2),
    }),
    {},
  ),
  /** A USB drive with nothing in it yet. */
  storage: v.optional(v.boolean(), false),
  /** Endpoints of the controller beside the one for control, where the kernel does not tell; `auto`: ask it. */
  endpoints: v.optional(
    v.union([v.literal('auto'), v.strictObject({ in: endpointCount, out: endpointCount })]),
    'auto',
  ),
});

export type GadgetConfig = v.InferOutput<typeof gadgetSchema>;
