import * as v from 'valibot';
import { pcmNameSchema } from '../audio/pcm-name.ts';
import { hidSchema } from '../control/hid/hid-config.ts';
import { powerSchema } from '../control/power/power-config.ts';
import { serialSchema } from '../control/serial/serial-config.ts';
import { logLevels } from '../log/log.ts';
import { gadgetSchema } from '../platform/gadget/gadget-config.ts';
import {
  encoderChoiceSchema,
  framesPerSecondSchema,
  videoKbpsSchema,
  videoSideSchema,
  videoSourceSchema,
} from '../video/video-config.ts';

/**
 * The configuration file: written by the person who installs the device, read once at start, never
 * written by Earshot (what a viewer changes lives in the settings, settings-schema.ts).
 * `config/earshot.yaml` is the commented reference, and a test holds it against this schema.
 */

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const path = v.pipe(v.string(), v.startsWith('/'), v.maxLength(107));

/** A file that may be left out: with neither, the device makes its own. */
const ownFile = v.pipe(
  v.string(),
  v.maxLength(4_096),
  v.regex(/^(\/.*)?$/, 'is an absolute path, or empty'),
);

export const iceServerSchema = v.strictObject({
  urls: v.pipe(
    v.array(
      v.pipe(v.string(), v.regex(/^(stun|turn|turns):/, 'begins with stun:, turn: or turns:')),
    ),
    v.minLength(1),
    v.maxLength(8),
  ),
  username: v.optional(v.string()),
  credential: v.optional(v.string()),
  /** PEM file of the authority behind the certificate of `turns:` URLs; the well-known ones when left out. */
  authority: v.optional(ownFile),
});

export const configSchema = v.strictObject({
  http: v.optional(
    v.strictObject({
      /** Address to listen on. 127.0.0.1 until accounts exist. */
      listen: v.optional(v.pipe(v.string(), v.ip()), '127.0.0.1'),
      /** TCP port; 0 takes a free one. */
      port: v.optional(port, 8080),
      /** Names a browser may use for the device beside its IP addresses, its host name and localhost. */
      allowedHosts: v.optional(
        v.pipe(
          v.array(
            v.pipe(
              v.string(),
              v.maxLength(253),
              v.regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'is a host name in small letters'),
            ),
          ),
          v.maxLength(16),
        ),
        [],
      ),
    }),
    {},
  ),
  https: v.optional(
    v.strictObject({
      /** TCP port, on the address of `http.listen`; 0 takes a free one. */
      port: v.optional(port, 8443),
      /** PEM files of the owner's own certificate (with what is between it and its root) and its key. */
      certificate: v.optional(ownFile, ''),
      key: v.optional(ownFile, ''),
    }),
    {},
  ),
  audio: v.optional(
    v.strictObject({
      output: v.optional(
        v.strictObject({
          /** ALSA PCM of the host's sound, by card id. */
          device: v.optional(pcmNameSchema, 'hw:CARD=UAC1Gadget'),
          /** ALSA period and buffer in ms. */
          periodMs: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100)), 5),
          bufferMs: v.optional(v.pipe(v.number(), v.minValue(5), v.maxValue(1_000)), 60),
          /** Highest Opus complexity this board can run; presets are lowered to it. */
          maxComplexity: v.optional(
            v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)),
            10,
          ),
        }),
        {},
      ),
      input: v.optional(
        v.strictObject({
          /** ALSA PCM the host records the microphone from, by card id. */
          device: v.optional(pcmNameSchema, 'hw:CARD=UAC1Gadget'),
          /** ALSA period and buffer in ms; the buffer is part of the delay. */
          periodMs: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100)), 5),
          bufferMs: v.optional(v.pipe(v.number(), v.minValue(5), v.maxValue(1_000)), 20),
          /** What shows a person at the device that the microphone is live; none by default. */
          indicator: v.optional(
            v.strictObject({
              /** File that gets `1` while it is live and `0` otherwise, e.g. of an LED; empty: none. */
              sysfs: v.optional(
                v.pipe(
                  v.string(),
                  v.maxLength(256),
                  v.regex(
                    /^(\/sys\/class\/(leds|gpio)\/[\w:.-]+\/(brightness|value))?$/,
                    'is /sys/class/leds/NAME/brightness or /sys/class/gpio/NAME/value',
                  ),
                ),
                '',
              ),
              /** Program and its arguments, run with `on` or `off` added; never through a shell. Empty: none. */
              command: v.optional(
                v.pipe(
                  v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256))),
                  v.maxLength(16),
                ),
                [],
              ),
            }),
            {},
          ),
        }),
        {},
      ),
    }),
    {},
  ),
  media: v.optional(
    v.strictObject({
      /** UDP ports for viewers, both ends included; 0–0 takes any free port. */
      udpPortMin: v.optional(port, 0),
      udpPortMax: v.optional(port, 0),
      /** TCP port for viewers that UDP does not reach; `udp`: the UDP port's number, or a free one; 0: none. */
      tcpPort: v.optional(v.union([v.literal('udp'), port]), 'udp'),
      /** Addresses to offer; empty means every address of the device. */
      addresses: v.optional(v.pipe(v.array(v.pipe(v.string(), v.ip())), v.maxLength(16)), []),
      iceServers: v.optional(v.pipe(v.array(iceServerSchema), v.maxLength(8)), []),
      maxViewers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(32)), 8),
    }),
    {},
  ),
  video: v.optional(
    v.strictObject({
      /** Where the host's picture comes from; empty: there is no picture. */
      device: v.optional(v.union([v.literal(''), videoSourceSchema]), ''),
      encoder: v.optional(encoderChoiceSchema, 'auto'),
      framesPerSecond: v.optional(framesPerSecondSchema, 30),
      /** A larger picture is scaled down. */
      maxWidth: v.optional(videoSideSchema, 1_920),
      maxHeight: v.optional(videoSideSchema, 1_080),
      /** Between these the bitrate follows the slowest viewer's connection. */
      minKbps: v.optional(videoKbpsSchema, 500),
      maxKbps: v.optional(videoKbpsSchema, 1_800),
    }),
    {},
  ),
  /** What the device is on the host's USB port. */
  usb: v.optional(gadgetSchema, {}),
  /** Keyboard and mouse. */
  hid: v.optional(hidSchema, {}),
  /** The host's serial console. */
  serial: v.optional(serialSchema, {}),
  /** The host's power and reset buttons, its LEDs, and machines to wake. */
  power: v.optional(powerSchema, {}),
  /** Players that are not the page (draft-ietf-wish-whep). */
  whep: v.optional(
    v.strictObject({
      /** What a player has to send as its bearer token; empty: there is no WHEP. */
      token: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(256),
          v.regex(
            /^([\w.~+/-]{16,}=*)?$/,
            'is empty, or at least 16 of the characters of a bearer token (RFC 6750 §2.1)',
          ),
        ),
        '',
      ),
    }),
    {},
  ),
  supervisor: v.optional(
    v.strictObject({
      /** Resident memory of a child above which it is restarted, in MiB. */
      memoryLimitMb: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(48), v.maxValue(4_096)),
        192,
      ),
    }),
    {},
  ),
  control: v.optional(
    v.strictObject({
      /** Unix socket of the `earshot` command, mode 0660. */
      socket: v.optional(path, '/run/earshot/control.sock'),
    }),
    {},
  ),
  /** Directory of the settings file; must be writable. */
  dataDir: v.optional(v.pipe(v.string(), v.startsWith('/')), '/var/lib/earshot'),
  log: v.optional(
    v.strictObject({
      level: v.optional(v.picklist(logLevels), 'info'),
      /** Log the times of every packet of the host's sound on its way through the device. */
      voiceTrace: v.optional(v.boolean(), false),
    }),
    {},
  ),
});

export type Config = v.InferOutput<typeof configSchema>;
