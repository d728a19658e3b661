/** The numbers of the viewer protocol (PROTOCOL.md) and of what may be asked. The page reads them too. */

/** Subprotocol of the WebSocket, and protocol of both data channels. */
export const hidProtocol = 'earshot-hid-1';

/** Labels of the data channels: ordered and reliable, and unordered without retransmission. */
export const keysChannelLabel = 'earshot-keys';
export const pointerChannelLabel = 'earshot-pointer';

/** While anything is held the page says so this often, in ms. */
export const aliveIntervalMs = 25;
/** Silence of a viewer that holds something, after which all it holds is released, in ms. */
export const deadManMs = 100;
/** What was sent before a `release` may still reach the host for so long, in ms; then it is dropped. */
export const releaseGraceMs = 50;

/** Keys, buttons, wheel turns, releases and clocks of one viewer: in the long run, and at once. */
export const keyMessagesPerSecond = 512;
export const keyMessageBurst = 1_024;
/** Those of one viewer that wait for the host; more of them drop all, with a release. */
export const maxQueuedKeys = 256;
/** Answers to `alive` and `clock` of one viewer: in the long run, and at once. */
export const pongsPerSecond = 64;
export const pongBurst = 128;
/** Keys one viewer can hold at once; a further one does nothing. */
export const maxHeldKeys = 64;

/** Longest notice, in bytes of UTF-8. */
export const maxNoticeBytes = 200;

/** Largest coordinate of the absolute pointer. */
export const maxCoordinate = 32_767;
/** Largest step of the relative mouse in one report, either way. */
export const maxDelta = 32_767;
/** One notch of a wheel. */
export const wheelNotch = 120;
/** Most notches of one report, either way. */
export const maxNotches = 127;
/** Largest usage of the consumer report. */
export const maxConsumerUsage = 0x3ff;

/** An event's delay that clocks can account for, in ms: below it they disagree, above it too. */
export const latencyFloorMs = -5;
export const latencyCeilingMs = 60_000;

/** Longest text to type, in characters. */
export const maxTextCharacters = 10_000;
/** Characters a second: slowest, fastest, and when nothing is said. */
export const minCharactersPerSecond = 1;
export const maxCharactersPerSecond = 200;
export const defaultCharactersPerSecond = 50;

/** Macros kept, steps of one, and its longest run in ms. */
export const maxMacros = 32;
export const maxMacroSteps = 100;
export const maxMacroMs = 60_000;
/** One wait, and one hold, of a macro in ms. */
export const maxStepMs = 10_000;
/** Text of one step, in characters. */
export const maxStepCharacters = 1_000;

/** Seconds between the jiggler's moves. */
export const minJigglerSeconds = 10;
export const maxJigglerSeconds = 3_600;
export const defaultJigglerSeconds = 60;
