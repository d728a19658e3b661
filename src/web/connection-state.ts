/** Where the connection to the device stands. Times are `performance.now()` milliseconds. */
export type ConnectionState =
  /** Nothing runs (the page is being left). */
  | { readonly kind: 'stopped' }
  /** `signaling`: the WebSocket opens. `negotiating`: waiting for the offer. `media`: ICE and DTLS. */
  | { readonly kind: 'connecting'; readonly step: 'signaling' | 'negotiating' | 'media' }
  | { readonly kind: 'connected' }
  /** No packets for some seconds; ICE may still find its way back by itself. */
  | { readonly kind: 'interrupted' }
  /** The signaling connection was lost and is tried again. */
  | { readonly kind: 'reconnecting'; readonly retryAtMs: number; readonly reason: string }
  /** Signaling works, media does not; it is built anew at `retryAtMs`. */
  | { readonly kind: 'failed'; readonly retryAtMs: number; readonly reason: string };
