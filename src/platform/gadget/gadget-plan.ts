import type { GadgetConfig } from './gadget-config.ts';
import { type HidInterface, hidInterfaces, longestReport } from './hid-interfaces.ts';
import { reportDescriptor } from './report-descriptors.ts';

/** What is to be in configfs, as data (Linux: Documentation/usb/gadget_configfs.rst). */
export interface GadgetPlan {
  /** Of the gadget's own directory. */
  readonly attributes: readonly PlannedAttribute[];
  /** Of `strings/0x409`. */
  readonly strings: readonly PlannedAttribute[];
  /** Of `configs/c.1`, and of its `strings/0x409`. */
  readonly configuration: readonly PlannedAttribute[];
  readonly configurationStrings: readonly PlannedAttribute[];
  /** In the order of their USB interfaces. */
  readonly functions: readonly PlannedFunction[];
}

export interface PlannedAttribute {
  /** Relative to the directory it belongs to. */
  readonly path: string;
  readonly value: string | Buffer;
  /** Kernels that lack it do without. */
  readonly optional?: boolean;
}

export interface PlannedFunction {
  /** Name of the kernel's function: `hid`, `acm`, `uac1`, `uac2`, `mass_storage`. */
  readonly type: string;
  /** Directory in `functions/`: the type, a dot, and a name of ours. */
  readonly name: string;
  readonly attributes: readonly PlannedAttribute[];
  readonly endpoints: EndpointNeed;
  /** What in the configuration switches it off. */
  readonly switch: string;
  /** What it is for a person. */
  readonly purpose: string;
  /** Of an HID function. */
  readonly hid?: HidInterface;
}

/** Endpoints beside the one for control. */
export interface EndpointNeed {
  readonly in: number;
  readonly out: number;
  readonly isochronous: boolean;
}

export interface PlanOptions {
  readonly config: GadgetConfig;
  /** iSerialNumber. */
  readonly serialNumber: string;
  /** Whether pointers and media keys share an interface. */
  readonly combined: boolean;
}

/** English (United States), the language of every string. */
export const language = '0x409';

/** Plans the gadget of a configuration. */
export function planGadget({ config, serialNumber, combined }: PlanOptions): GadgetPlan {
  const { identity } = config;
  const functions = [
    ...hidInterfaces(config, combined).map(hidFunction),
    ...(config.serial ? [serialFunction] : []),
    ...soundFunction(config),
    ...(config.storage ? [storageFunction] : []),
  ];
  return {
    attributes: [
      hex('idVendor', identity.vendorId),
      hex('idProduct', identity.productId),
      hex('bcdDevice', identity.deviceVersion),
      { path: 'bcdUSB', value: '0x0200' },
      ...deviceClass(functions),
    ],
    strings: [
      { path: 'manufacturer', value: identity.manufacturer },
      { path: 'product', value: identity.product },
      { path: 'serialnumber', value: serialNumber },
    ],
    configuration: [
      // Bit 7 is always set, bit 5 is remote wake-up (USB 2.0 table 9-10).
      { path: 'bmAttributes', value: config.remoteWakeup ? '0xa0' : '0x80' },
      { path: 'MaxPower', value: String(config.maxPowerMa) },
    ],
    configurationStrings: [{ path: 'configuration', value: 'Earshot' }],
    functions: functions.map((one) => withWakeup(one, config.remoteWakeup)),
  };
}

/** A function of several interfaces is announced by an association descriptor, and that by the class (USB ECN IAD). */
function deviceClass(functions: readonly PlannedFunction[]): PlannedAttribute[] {
  const associated = functions.some(
    ({ hid, type }) => hid === undefined && type !== 'mass_storage',
  );
  const [deviceClass_, subclass, protocol] = associated ? ['0xef', '0x02', '0x01'] : zeros;
  return [
    { path: 'bDeviceClass', value: deviceClass_ },
    { path: 'bDeviceSubClass', value: subclass },
    { path: 'bDeviceProtocol', value: protocol },
  ];
}

const zeros = ['0x00', '0x00', '0x00'] as const;

function hidFunction(hid: HidInterface): PlannedFunction {
  const switches = {
    keyboard: 'usb.keyboard',
    absolute: 'usb.absolute',
    relative: 'usb.relative',
    keys: 'usb.mediaKeys',
  };
  return {
    type: 'hid',
    name: `hid.${hid.name}`,
    attributes: [
      { path: 'subclass', value: String(hid.subclass) },
      { path: 'protocol', value: String(hid.protocol) },
      { path: 'report_length', value: String(longestReport(hid)) },
      { path: 'report_desc', value: reportDescriptor(hid.kinds) },
      noOutEndpoint,
    ],
    endpoints: { in: 1, out: 0, isochronous: false },
    switch:
      Object.entries(switches).find(([name]) => name === hid.name)?.[1] ??
      'usb.absolute, usb.relative and usb.mediaKeys',
    purpose: hid.name === 'keyboard' ? 'keyboard' : hid.kinds.join(', '),
    hid,
  };
}

/**
 * The host then sets LEDs by SET_REPORT, as every host can and a BIOS does anyway, and an endpoint is saved.
 * Before Linux 5.16 each HID function takes an OUT endpoint.
 */
export const noOutEndpoint: PlannedAttribute = {
  path: 'no_out_endpoint',
  value: '1',
  optional: true,
};

/** Some boards' kernels wake a sleeping host when a report is written; others are asked by hand (udc.ts). */
function withWakeup(one: PlannedFunction, remoteWakeup: boolean): PlannedFunction {
  if (one.hid === undefined) return one;
  const value = remoteWakeup ? '1' : '0';
  const attribute = { path: 'wakeup_on_write', value, optional: true };
  return { ...one, attributes: [...one.attributes, attribute] };
}

const serialFunction: PlannedFunction = {
  type: 'acm',
  name: 'acm.serial',
  attributes: [],
  endpoints: { in: 2, out: 1, isochronous: false },
  switch: 'usb.serial',
  purpose: 'serial port',
};

/** Names of directions are the gadget's: it captures (c_) what the host plays, and plays (p_) what it records. */
function soundFunction({ sound }: GadgetConfig): PlannedFunction[] {
  const { kind, rateHz, outputChannels, inputChannels } = sound;
  if (kind === 'none' || outputChannels + inputChannels === 0) return [];
  const attributes = [
    ...soundDirection('c', outputChannels, rateHz),
    ...soundDirection('p', inputChannels, rateHz),
    // The host's clock leads (the device follows its drift), which needs no endpoint for feedback.
    ...(kind === 'uac2' ? [{ path: 'c_sync', value: 'adaptive', optional: true }] : []),
  ];
  return [
    {
      type: kind,
      name: `${kind}.sound`,
      attributes,
      endpoints: {
        in: inputChannels > 0 ? 1 : 0,
        out: outputChannels > 0 ? 1 : 0,
        isochronous: true,
      },
      switch: 'usb.sound.kind',
      purpose: 'sound',
    },
  ];
}

function soundDirection(side: 'c' | 'p', channels: number, rateHz: number): PlannedAttribute[] {
  return [
    { path: `${side}_chmask`, value: String(2 ** channels - 1) },
    { path: `${side}_srate`, value: String(rateHz) },
    { path: `${side}_ssize`, value: '2' },
    // Nobody would obey the host's volume, and telling about it takes an endpoint.
    { path: `${side}_mute_present`, value: '0', optional: true },
    { path: `${side}_volume_present`, value: '0', optional: true },
  ];
}

const storageFunction: PlannedFunction = {
  type: 'mass_storage',
  name: 'mass_storage.drive',
  attributes: [
    { path: 'lun.0/removable', value: '1' },
    { path: 'lun.0/ro', value: '1' },
  ],
  endpoints: { in: 1, out: 1, isochronous: false },
  switch: 'usb.storage',
  purpose: 'drive',
};

function hex(path: string, value: number): PlannedAttribute {
  return { path, value: `0x${value.toString(16).padStart(4, '0')}` };
}
