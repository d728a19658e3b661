/** The WebSocket of a viewer's session, and that of its fast lane. */
export const sessionPath = '/api/v1/session';
export const fastLanePath = '/api/v1/fast-lane';
/** The WebSocket of keyboard and pointer, where no data channel is. */
export const hidPath = '/api/v1/hid';
/** The WebSocket of the host's serial console. */
export const serialConsolePath = '/api/v1/serial/console';
