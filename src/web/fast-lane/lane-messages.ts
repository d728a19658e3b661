import type { SoundNumbers } from '../../audio/playout/sound-playout.ts';
import type { SoundPacket } from './sound-ring.ts';

/** The messages between the parts of the fast lane: page ↔ worker ↔ worklet. */

export type LaneVia = 'channel' | 'websocket';

/** Page → worker. */
export type WorkerCommand =
  /** First of all: where decoded sound goes. `ring`: shared memory; without it, through the port. */
  | {
      readonly type: 'begin';
      readonly playout: MessagePort;
      readonly ring: SharedArrayBuffer | undefined;
    }
  /** The data channel, handed over; the worker receives from it without the page. */
  | { readonly type: 'channel'; readonly channel: RTCDataChannel }
  /** The data channel stays with the page, which relays: from now on until `relay-closed`. */
  | { readonly type: 'relay-opened' }
  | { readonly type: 'relay-closed' }
  | { readonly type: 'relayed'; readonly bytes: Uint8Array }
  /** The data channel is not wanted any longer. */
  | { readonly type: 'drop-channel' }
  | { readonly type: 'socket'; readonly url: string }
  | { readonly type: 'drop-socket' }
  /** The audio context runs, or does not: then no sound is asked for. */
  | { readonly type: 'audio'; readonly running: boolean }
  /** What the pings say of the lane that sounds. */
  | { readonly type: 'delay'; readonly delayMs: number; readonly isSounding: boolean }
  /** Says to the device that no more sound is wanted, ends everything and answers `stopped`. */
  | { readonly type: 'stop' };

/** Worker → page. */
export type WorkerEvent =
  | { readonly type: 'opened'; readonly via: LaneVia }
  | { readonly type: 'closed'; readonly via: LaneVia }
  /** To be sent over the data channel that stayed with the page. */
  | { readonly type: 'relay'; readonly bytes: Uint8Array }
  | { readonly type: 'numbers'; readonly numbers: ReceptionNumbers }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'stopped' };

/** Worker → worklet. */
export type PlayoutCommand =
  | {
      readonly type: 'sound';
      readonly packet: SoundPacket;
      readonly left: Float32Array;
      readonly right: Float32Array;
    }
  /** Answered with the numbers as they are. */
  | { readonly type: 'ask' };

/** Worklet → worker. */
export interface PlayoutAnswer {
  readonly numbers: SoundNumbers;
  /** Packets taken since the worklet began. */
  readonly taken: number;
}

/** Page → worklet. */
export type WorkletCommand =
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'stop' };

/** What the worklet is made with. */
export interface WorkletOptions {
  readonly ring: SharedArrayBuffer | undefined;
}

/** Name the worklet's module registers its processor under. */
export const playoutProcessor = 'earshot-fast-lane';

/** What the worker says four times a second. Counts are since the lane began. */
export interface ReceptionNumbers {
  readonly playout: SoundNumbers;
  /** What to add to a time of `steadyNowMs` to have the device's; undefined before any pong. */
  readonly offsetMs: number | undefined;
  /** −1: unknown. */
  readonly roundTripMs: number;
  readonly received: number;
  readonly lost: number;
  readonly recovered: number;
  readonly late: number;
  /** Not as FAST-LANE.md has it, or nothing that Opus decodes. */
  readonly malformed: number;
  /** Decoded, and no room on the way to the worklet. */
  readonly dropped: number;
  /** The host is silent, and sends nothing by intent (DTX). */
  readonly isPaused: boolean;
  readonly redundancy: boolean;
  readonly bitrateKbps: number;
  readonly redundancyKbps: number;
  /** From the packet's turn until its sound, on average since the last numbers. */
  readonly decodeMs: number;
}
