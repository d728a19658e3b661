import type { Page } from 'playwright-core';
import * as v from 'valibot';
import type { ImpairRelay } from './impair.ts';

/** Who knows where viewers reach `device` through it: an {@link ImpairRelay}, or what stands for one elsewhere. */
export type Front = Pick<ImpairRelay, 'front'>;

/**
 * Puts an {@link ImpairRelay} between a page and the device, by what each learns of the other's
 * addresses: the page gets one candidate, the relay's; the device gets none at all and finds the page
 * behind the relay (peer-reflexive, RFC 8445 §7.3.1.3). Nothing is left that could go around it.
 */
export interface RelayedSignaling {
  /** Candidates kept from either side, in messages and descriptions. */
  readonly hidden: number;
}

const messageSchema = v.looseObject({
  type: v.string(),
  sdp: v.optional(v.string()),
  candidate: v.optional(v.string()),
});
type Message = v.InferOutput<typeof messageSchema>;

/**
 * Call before `page.goto()`; every session the page opens from then on, media resets included, goes
 * through `relay`. Use one relay a page. The device must offer a UDP host candidate over IPv4.
 * Start without impairment and set it once connected, or be ready to wait: DTLS repeats a lost
 * flight after a second. That media runs over it shows in the page, whose remote address
 * (`PageProbe.remoteAddress()`) is `relay.endpoint`, and at the device, for which the viewer is of the
 * candidate type `prflx`.
 */
export async function routeThroughRelay(page: Page, relay: Front): Promise<RelayedSignaling> {
  const signaling = { hidden: 0 };
  const hide = (sdp: string): string =>
    sdp.replace(/^a=candidate:.*\r?\n/gm, () => {
      signaling.hidden += 1;
      return '';
    });
  await page.routeWebSocket(/\/session$/, (viewer) => {
    const device = viewer.connectToServer();
    let order: Promise<void> = Promise.resolve();
    /** One relay candidate is enough; after an offer the page needs it again. */
    let isTold = false;
    viewer.onMessage((text) => {
      const message = parse(text);
      if (message?.type === 'ice_candidate' && message.candidate !== '') {
        signaling.hidden += 1;
        return;
      }
      device.send(message?.sdp === undefined ? text : withSdp(message, hide(message.sdp)));
    });
    device.onMessage((text) => {
      const message = parse(text);
      order = order.then(async () => {
        if (message?.type === 'webrtc_offer') isTold = false;
        if (message?.sdp !== undefined) {
          viewer.send(withSdp(message, hide(message.sdp)));
        } else if (message?.type === 'ice_candidate' && message.candidate !== '') {
          const relayed = isTold ? undefined : await relayedCandidate(message.candidate, relay);
          if (relayed === undefined) signaling.hidden += 1;
          else viewer.send(JSON.stringify({ ...message, candidate: relayed }));
          isTold ||= relayed !== undefined;
        } else {
          viewer.send(text);
        }
      });
    });
  });
  return signaling;
}

/** RFC 8839 §5.1 */
const hostCandidate = /^(candidate:\S+ 1 udp \d+) (\d+\.\d+\.\d+\.\d+) (\d+) typ host/i;

async function relayedCandidate(candidate = '', relay: Front): Promise<string | undefined> {
  const [, start, address = '', port] = hostCandidate.exec(candidate) ?? [];
  if (start === undefined) return undefined;
  const front = await relay.front({ address, port: Number(port) });
  return `${start} ${front.address} ${front.port} typ host`;
}

function withSdp(message: Message, sdp: string): string {
  return JSON.stringify({ ...message, sdp });
}

function parse(text: string | Buffer): Message | undefined {
  const result = v.safeParse(messageSchema, JSON.parse(String(text)));
  return result.success ? result.output : undefined;
}
