/**
 * Every error code Earshot can answer with, by family. `docs/errors.md` is generated from this table
 * and a test fails when the two differ. A code, once released, keeps its meaning.
 */

interface CatalogueEntry {
  /** One sentence for the documentation: when it happens and what to do. */
  readonly summary: string;
  /** HTTP status of an API answer that carries the code. */
  readonly http: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 429 | 500 | 503 | 504;
  /** Exit code of a process that ends with it: 1 failure, 2 usage, 69 service unavailable, 78 bad configuration (sysexits.h). */
  readonly exit: 1 | 2 | 69 | 78;
}

export const errorCatalogue = {
  // Configuration
  CONFIG_UNREADABLE: {
    summary: 'The configuration file cannot be read or is not YAML.',
    http: 500,
    exit: 78,
  },
  CONFIG_INVALID: {
    summary: 'A configuration key is unknown, or its value is outside what is allowed.',
    http: 400,
    exit: 78,
  },
  SETTINGS_WRITE_FAILED: {
    summary: 'The settings could not be made durable; the change was not applied.',
    http: 500,
    exit: 1,
  },
  SETTINGS_TOO_LARGE: {
    summary: 'The settings would be larger than their file may be; the change was not applied.',
    http: 413,
    exit: 1,
  },
  // IPC
  IPC_FRAMING: {
    summary:
      'A frame had a wrong magic, version, type or length; the channel was closed and the child restarts.',
    http: 500,
    exit: 1,
  },
  IPC_INVALID_MESSAGE: {
    summary: 'A control message was not JSON or did not match its schema.',
    http: 500,
    exit: 1,
  },
  IPC_CLOSED: {
    summary: 'The channel to a child closed while a request was waiting.',
    http: 503,
    exit: 69,
  },
  IPC_TIMEOUT: {
    summary: 'A child did not answer a request before its deadline.',
    http: 504,
    exit: 69,
  },
  IPC_MESSAGE_TOO_LARGE: {
    summary: 'A message exceeds the limit of its type and was not sent.',
    http: 500,
    exit: 1,
  },
  IPC_NO_PARENT: {
    summary: 'A child role was started by hand; the main process starts it, with a channel.',
    http: 500,
    exit: 2,
  },
  // Supervisor
  CHILD_UNKNOWN: {
    summary: 'There is no child process of that name.',
    http: 404,
    exit: 2,
  },
  CHILD_NOT_RUNNING: {
    summary: 'The child process is not running, so it cannot be asked.',
    http: 503,
    exit: 69,
  },
  CHILD_BUSY: {
    summary: 'Too many changes of the child process wait already; try again in a moment.',
    http: 503,
    exit: 69,
  },
  CHILD_SPAWN_FAILED: {
    summary: 'The child process could not be started.',
    http: 500,
    exit: 1,
  },
  // Audio
  QUALITY_INVALID: {
    summary: 'The quality preset is not one of those offered, or a custom field is out of range.',
    http: 400,
    exit: 2,
  },
  AUDIO_DEVICE_UNKNOWN: {
    summary: 'There is no audio device of that id on this machine.',
    http: 404,
    exit: 2,
  },
  AUDIO_NATIVE_MISSING: {
    summary:
      'The native audio module could not be loaded, usually because libasound, libopus or libspeexdsp is missing.',
    http: 500,
    exit: 78,
  },
  AUDIO_DEVICE_FAILED: {
    summary: 'The audio device could not be opened or configured; it is tried again.',
    http: 503,
    exit: 69,
  },
  // Video
  VIDEO_NATIVE_MISSING: {
    summary:
      'The native video module could not be loaded, usually because a library of GStreamer is missing.',
    http: 500,
    exit: 78,
  },
  VIDEO_ENCODER_MISSING: {
    summary:
      'GStreamer has no element of the configured video encoder; install its plugin or choose another.',
    http: 400,
    exit: 78,
  },
  VIDEO_DEVICE_FAILED: {
    summary: 'The capture device could not be opened or configured; it is tried again.',
    http: 503,
    exit: 69,
  },
  // Microphone
  MICROPHONE_HELD: {
    summary: 'Another viewer holds the microphone; `details.holder` says who. `takeover` takes it.',
    http: 409,
    exit: 1,
  },
  MICROPHONE_NOT_HELD: {
    summary: 'Nobody holds the microphone, so there is nothing to mute.',
    http: 409,
    exit: 1,
  },
  MICROPHONE_SESSION_UNKNOWN: {
    summary: 'There is no viewer session of that id.',
    http: 404,
    exit: 2,
  },
  // Media
  MEDIA_SIGNALING_INVALID: {
    summary: 'A signaling message from the viewer was malformed or came out of order.',
    http: 400,
    exit: 1,
  },
  MEDIA_ANSWER_INVALID: {
    summary: 'The SDP answer of the viewer cannot be used.',
    http: 400,
    exit: 1,
  },
  MEDIA_OFFER_INVALID: {
    summary: 'The SDP offer of a WHEP player cannot be used.',
    http: 400,
    exit: 1,
  },
  MEDIA_NO_OPUS: {
    summary: 'The viewer offers no Opus decoder, so it cannot hear the host.',
    http: 400,
    exit: 1,
  },
  MEDIA_TOO_MANY_VIEWERS: {
    summary: 'The device serves as many viewers as it is configured for.',
    http: 503,
    exit: 69,
  },
  MEDIA_SESSION_UNKNOWN: {
    summary: 'There is no viewer session of that id, so it has no fast lane.',
    http: 404,
    exit: 2,
  },
  MEDIA_PORTS_EXHAUSTED: {
    summary: 'No UDP port of the configured range is free.',
    http: 503,
    exit: 69,
  },
  MEDIA_SEGMENT_INVALID: {
    summary: 'A segment of pictures and sound has a field that cannot be; the message names it.',
    http: 400,
    exit: 1,
  },
  MEDIA_SEGMENT_TIMEOUT: {
    summary: 'A segment or a fence waited 10 s for those before it, or for its encoder, in vain.',
    http: 504,
    exit: 69,
  },
  MEDIA_SEGMENT_FAILED: {
    summary: 'A segment could not be encoded or sent, and was dropped.',
    http: 503,
    exit: 69,
  },
  MEDIA_SEGMENTS_BUSY: {
    summary: 'As many segments as may wait do wait already; try again in a moment.',
    http: 503,
    exit: 69,
  },
  MEDIA_SEGMENTS_CLOSED: {
    summary: 'The device stops sending segments; what waited was not sent.',
    http: 503,
    exit: 69,
  },
  // Serial console
  SERIAL_NOT_CONFIGURED: {
    summary: 'No serial port is configured; set serial.port.',
    http: 409,
    exit: 78,
  },
  SERIAL_NATIVE_MISSING: {
    summary: 'The native module of serial ports could not be loaded.',
    http: 500,
    exit: 78,
  },
  SERIAL_PORT_MISSING: {
    summary: 'There is no serial port of the configured path; it is looked for again.',
    http: 503,
    exit: 69,
  },
  SERIAL_PORT_BUSY: {
    summary: 'Another program has the serial port open; it is tried again.',
    http: 503,
    exit: 69,
  },
  SERIAL_PORT_FAILED: {
    summary: 'The serial port could not be opened, or is none; it is tried again.',
    http: 503,
    exit: 69,
  },
  SERIAL_PORT_CLOSED: {
    summary: 'The serial port is not open, so nothing can be asked of it; the message says why.',
    http: 503,
    exit: 69,
  },
  SERIAL_LINE_REFUSED: {
    summary:
      'The driver of the serial port does not take this rate or framing; the line is as it was.',
    http: 400,
    exit: 2,
  },
  SERIAL_SIGNALS_UNSUPPORTED: {
    summary: 'The serial port has no DTR, RTS or break, as a pseudo-terminal has none.',
    http: 409,
    exit: 1,
  },
  SERIAL_WRITER_HELD: {
    summary: 'Another console writes; `takeover` takes its place.',
    http: 409,
    exit: 1,
  },
  SERIAL_NOT_WRITER: {
    summary: 'The console reads only; it has to ask for the writer’s place first.',
    http: 409,
    exit: 1,
  },
  SERIAL_TOO_MANY_CONSOLES: {
    summary: 'As many consoles are open as may be; close one.',
    http: 503,
    exit: 69,
  },
  SERIAL_MESSAGE_INVALID: {
    summary: 'A text message of a console is not JSON, or none of CONSOLE-PROTOCOL.md.',
    http: 400,
    exit: 1,
  },
  // Power
  POWER_NOT_CONFIGURED: {
    summary: 'The device has no power board, or the board no such button; see power.kind.',
    http: 409,
    exit: 78,
  },
  POWER_UNAVAILABLE: {
    summary: 'The power board is not there or does not answer; it is tried again.',
    http: 503,
    exit: 69,
  },
  POWER_BUSY: {
    summary: 'A button is held already; `details.press` says which press is under way.',
    http: 409,
    exit: 1,
  },
  POWER_FAILED: {
    summary: 'The button could not be pressed, or its release was not confirmed; look at the host.',
    http: 503,
    exit: 69,
  },
  POWER_WAKE_UNKNOWN: {
    summary:
      'No machine of that name is in power.wakeOnLan, or none was named and there are several.',
    http: 404,
    exit: 2,
  },
  POWER_WAKE_FAILED: {
    summary: 'The Wake-on-LAN packet could not be sent.',
    http: 503,
    exit: 69,
  },
  // API
  API_BODY_INVALID: {
    summary: 'The body is not JSON, or does not match what the route takes.',
    http: 400,
    exit: 2,
  },
  API_BODY_TOO_LARGE: {
    summary: 'The body is larger than the route takes.',
    http: 413,
    exit: 2,
  },
  API_UNSUPPORTED_MEDIA_TYPE: {
    summary:
      'The body is not of the type that the route takes: application/json, for WHEP application/sdp.',
    http: 415,
    exit: 2,
  },
  API_NOT_FOUND: {
    summary: 'There is no such route.',
    http: 404,
    exit: 2,
  },
  API_METHOD_NOT_ALLOWED: {
    summary: 'The route exists but not with this method.',
    http: 405,
    exit: 2,
  },
  API_ORIGIN_REFUSED: {
    summary: 'The request comes from a page of another site.',
    http: 403,
    exit: 1,
  },
  API_HOST_REFUSED: {
    summary:
      'The Host header names no address or name of this device; add the name to http.allowedHosts if it is one.',
    http: 403,
    exit: 1,
  },
  API_HTTPS_ONLY: {
    summary:
      'Plain HTTP serves this machine only; from elsewhere, open the WebSocket on the HTTPS port (docs/https.md).',
    http: 403,
    exit: 1,
  },
  API_TOKEN_REFUSED: {
    summary: 'The request carries no bearer token, or a wrong one.',
    http: 401,
    exit: 1,
  },
  API_TOO_MANY_TRIES: {
    summary: 'Too many wrong tokens came from this address; wait a minute.',
    http: 429,
    exit: 1,
  },
  API_CONTROL_ONLY: {
    summary: 'The route is served on the control socket only; use the earshot command.',
    http: 403,
    exit: 1,
  },
  API_QUERY_INVALID: {
    summary: 'A parameter of the URL is unknown or its value is outside what is allowed.',
    http: 400,
    exit: 2,
  },
  API_TOO_MANY_STREAMS: {
    summary: 'As many event or log streams are open as the server allows.',
    http: 503,
    exit: 69,
  },
  API_TIMEOUT: {
    summary: 'The request took longer than the server waits; it may still take effect.',
    http: 504,
    exit: 69,
  },
  API_PORT_IN_USE: {
    summary: 'The address and port the server should listen on is taken by another program.',
    http: 500,
    exit: 69,
  },
  API_LISTEN_FAILED: {
    summary: 'The server cannot listen on the configured address or socket.',
    http: 500,
    exit: 69,
  },
  // Keyboard and mouse
  HID_NOT_CONFIGURED: {
    summary: 'No keyboard and mouse are configured for the host; set hid.host.',
    http: 409,
    exit: 78,
  },
  HID_KEY_UNKNOWN: {
    summary: 'A key combination names a key there is none of, or is empty.',
    http: 400,
    exit: 2,
  },
  HID_INVALID: {
    summary: 'A layout, a typing speed or a jiggler setting is not one of those allowed.',
    http: 400,
    exit: 2,
  },
  HID_TEXT_UNTYPABLE: {
    summary:
      'The layout has no keys for some characters of the text; they are listed, and nothing was typed.',
    http: 400,
    exit: 2,
  },
  HID_TEXT_TOO_LONG: {
    summary: 'The text is longer than can be typed at once; nothing was typed.',
    http: 413,
    exit: 2,
  },
  HID_BUSY: {
    summary: 'A text or a macro is being typed; wait for its end or stop it.',
    http: 409,
    exit: 1,
  },
  HID_STOPPED: {
    summary: 'What was being typed was stopped before its end; its keys are released.',
    http: 409,
    exit: 1,
  },
  HID_NO_HOST: {
    summary: 'No host takes keys now: none is configured or connected, or it sleeps.',
    http: 503,
    exit: 69,
  },
  HID_NOT_TAKEN: {
    summary: 'The host is connected but did not take a key in time.',
    http: 504,
    exit: 69,
  },
  HID_MACRO_INVALID: {
    summary: 'A macro has a step, a name or a length that is not allowed, or there are too many.',
    http: 400,
    exit: 2,
  },
  HID_MACRO_UNKNOWN: {
    summary: 'There is no macro of that name.',
    http: 404,
    exit: 2,
  },
  // Platform
  PLATFORM_NATIVE_MISSING: {
    summary: 'The native platform module (USB gadget, GPIO) could not be loaded.',
    http: 500,
    exit: 78,
  },
  GADGET_NO_CONFIGFS: {
    summary:
      'The kernel offers no USB gadgets: configfs is not mounted, or libcomposite is not there.',
    http: 503,
    exit: 69,
  },
  GADGET_NO_UDC: {
    summary:
      'There is no USB device controller (UDC), or none of the configured name; it is looked for again.',
    http: 503,
    exit: 69,
  },
  GADGET_FUNCTION_MISSING: {
    summary:
      'The kernel lacks a USB function that is configured; `details.function` names it. The others go on.',
    http: 503,
    exit: 69,
  },
  GADGET_ENDPOINTS: {
    summary:
      'The configured USB functions need more endpoints than the controller has; switch some of them off.',
    http: 503,
    exit: 78,
  },
  GADGET_FAILED: {
    summary: 'The USB gadget could not be made or bound to its controller; it is tried again.',
    http: 503,
    exit: 69,
  },
  GPIO_CHIP_UNKNOWN: {
    summary: 'There is no GPIO chip of that path, name or label.',
    http: 503,
    exit: 78,
  },
  GPIO_LINE_UNKNOWN: {
    summary: 'The GPIO chip has no line of that name or number.',
    http: 503,
    exit: 78,
  },
  GPIO_LINE_BUSY: {
    summary: 'Somebody else holds the GPIO line; `details.consumer` says who.',
    http: 503,
    exit: 69,
  },
  GPIO_FAILED: {
    summary: 'A GPIO chip or line could not be opened, read or set.',
    http: 503,
    exit: 69,
  },
  // Command line
  CLI_USAGE: {
    summary: 'The command line is not understood.',
    http: 400,
    exit: 2,
  },
  CLI_NOT_RUNNING: {
    summary: 'No Earshot answers on the control socket.',
    http: 503,
    exit: 69,
  },
  CLI_SOCKET_REFUSED: {
    summary:
      'The user of the command may not use the control socket; run it as root or as a member of its group.',
    http: 403,
    exit: 1,
  },
  CLI_NO_ANSWER: {
    summary:
      'Earshot did not answer the command in time, or not in a way this release understands.',
    http: 504,
    exit: 69,
  },
  INTERNAL: {
    summary: 'Something Earshot did not foresee; the log has the cause.',
    http: 500,
    exit: 1,
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
