import type { RTCDtlsTransport } from 'werift';
import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { DataChannelName } from './data-channel-kinds.ts';
import { DataChannels } from './data-channels.ts';
import { DtlsData } from './dtls-data.ts';
import { DtlsHandshakeOrder } from './dtls-handshake-order.ts';
import { contentTypes, type DtlsRecord } from './dtls-records.ts';
import type { HidChannelChange } from './hid-channels.ts';

/** All records of a handshake, repetitions included. */
const maxHandshakeRecords = 256;

export interface DtlsTrafficOptions {
  readonly log: Log;
  /** Hands a record to the stack that makes the handshake. */
  readonly deliver: (record: Buffer) => void;
  /** That stack has taken a hello with its cookie. */
  readonly helloAccepted: () => boolean;
  /** Sends the parts of one datagram. */
  readonly send: (parts: readonly Buffer[]) => void;
  /** Something that only the viewer's keys could make. */
  readonly onHeard: () => void;
  readonly onRefused: () => void;
  /** The viewer closed the association. */
  readonly onClosed: () => void;
  readonly onChange: (name: DataChannelName, change: HidChannelChange) => void;
  /** A binary message of a data channel, valid during the call only. */
  readonly onMessage: (name: DataChannelName, message: Buffer) => void;
}

/**
 * What comes and goes in DTLS records beside media: the handshake, a bounded number of records of it; then
 * alerts and the data channels, under the keys that it made.
 */
export class DtlsTraffic {
  readonly #options: DtlsTrafficOptions;
  readonly #order: DtlsHandshakeOrder;
  #handshakeRecords = 0;
  #data: DtlsData | undefined;
  #channels: DataChannels | undefined;
  #faultLogged = false;

  constructor(options: DtlsTrafficOptions) {
    this.#options = options;
    this.#order = new DtlsHandshakeOrder(options.helloAccepted);
  }

  /** A record of the viewer's handshake has come. */
  get handshakeBegun(): boolean {
    return this.#handshakeRecords > 0;
  }

  isOpen(name: DataChannelName): boolean {
    return this.#channels?.isOpen(name) ?? false;
  }

  /** The handshake is done; `kinds`: the data channels that a viewer may open, none when none were offered. */
  open(dtls: RTCDtlsTransport, { kinds }: { readonly kinds: readonly DataChannelName[] }): void {
    const { cipher: context } = dtls.dtls ?? {};
    if (context === undefined) return;
    const { cipher, sessionType } = context;
    const data = new DtlsData({
      encrypt: (fragment, header) => cipher.encrypt(sessionType, fragment, header),
      decrypt: (fragment, header) => cipher.decrypt(sessionType, fragment, header),
    });
    this.#data = data;
    if (kinds.length === 0) return;
    this.#channels = new DataChannels({
      dtls,
      kinds,
      send: (packet) => this.#options.send(data.seal(packet)),
      onChange: (name, change) => this.#options.onChange(name, change),
      onMessage: (name, message) => this.#options.onMessage(name, message),
      onRefused: (error) => this.#refuse(error),
    });
  }

  /** As Transport.sendData and Transport.sendKeys. */
  send(name: 'fast-lane' | 'keys', message: Uint8Array): boolean {
    return this.#channels?.send(name, message) ?? false;
  }

  /** What the guard admitted of a datagram; `alerts` are the records of that type. */
  receive(records: readonly DtlsRecord[], alerts: readonly DtlsRecord[]): void {
    for (const record of records) {
      if (record.contentType === contentTypes.data) {
        this.#receiveData(record);
        continue;
      }
      const isHandshake = record.contentType === contentTypes.handshake;
      if (isHandshake) this.#handshakeRecords += 1;
      if (this.#handshakeRecords > maxHandshakeRecords) return;
      const inClear = isHandshake && record.epoch === 0;
      const taken = inClear ? this.#order.take(record) : [record.bytes];
      for (const bytes of taken) this.#options.deliver(bytes);
    }
    for (const record of alerts) this.#receiveAlert(record);
  }

  /** Ends the data channels, while it can still say so to the viewer; idempotent. */
  async close(): Promise<void> {
    await this.#channels?.close();
    this.#data = undefined;
  }

  #receiveData(record: DtlsRecord): void {
    const packet = this.#data?.open(record);
    if (packet === undefined) {
      this.#options.onRefused();
      return;
    }
    this.#options.onHeard();
    if (this.#channels === undefined) this.#options.onRefused();
    else this.#channels.receive(packet);
  }

  /** A close_notify or fatal alert under the viewer's keys; any other record of that type is nobody's. */
  #receiveAlert(record: DtlsRecord): void {
    const alert = this.#data?.open(record);
    if (alert === undefined) {
      this.#options.onRefused();
      return;
    }
    const closes = alert.length === 2 && (alert[0] === 2 || alert[1] === 0);
    if (closes) this.#options.onClosed();
  }

  /** A fault of the association is told once: a viewer can make as many as it likes. */
  #refuse(error: unknown): void {
    this.#options.onRefused();
    if (error === undefined || this.#faultLogged) return;
    this.#faultLogged = true;
    this.#options.log.warn({ error: messageOf(error) }, 'data channel packet not taken');
  }
}
