import { schemaNode } from '../../errors/schema-words.ts';
import { checkQuery } from '../query.ts';
import { get, noQuery, post, type Route } from '../route.ts';
import { sendBreakSchema, serialStatusSchema, setSerialLineSchema } from '../schema.ts';

/** The host's serial console; the bytes themselves are on its WebSocket, /api/v1/serial/console. */
export const serialRoutes: readonly Route[] = [
  get(
    '/api/v1/serial',
    {
      summary: 'The host’s serial console: its port, its line, who writes, and counts.',
      answer:
        '`port` (empty: none), `state` (`none`, `opening`, `open`), `reason`, `line` (`baudRate`, `dataBits`, `parity`, `stopBits`, `flowControl`), `dtr`, `rts`, `writer`, `consoles`, `scrollbackBytes` and counts',
      answers: serialStatusSchema,
    },
    ({ services }) => services.serial.status(),
  ),
  post(
    '/api/v1/serial/line',
    {
      summary: 'Sets rate, framing and flow control; what is left out stays. Live and durable.',
      answer: 'as `/api/v1/serial`',
      answers: serialStatusSchema,
      body: setSerialLineSchema,
      example: { baudRate: 115_200 },
      errors: [
        ...(['SERIAL_NOT_CONFIGURED', 'SERIAL_LINE_REFUSED', 'SERIAL_PORT_MISSING'] as const),
        ...(['SERIAL_PORT_BUSY', 'SERIAL_PORT_FAILED', 'SETTINGS_WRITE_FAILED'] as const),
      ],
    },
    ({ services }, body) => services.serial.setLine(body),
  ),
  post(
    '/api/v1/serial/break',
    {
      summary:
        'Sends a break of `ms` (1–2,000; 250 when left out): a Linux console takes it for SysRq.',
      answer: 'as `/api/v1/serial`, when the break is over',
      answers: serialStatusSchema,
      body: sendBreakSchema,
      example: { ms: 250 },
      errors: ['SERIAL_NOT_CONFIGURED', 'SERIAL_PORT_CLOSED', 'SERIAL_SIGNALS_UNSUPPORTED'],
    },
    ({ services }, { ms }) => services.serial.sendBreak(ms),
  ),
  {
    method: 'GET',
    path: '/api/v1/serial/scrollback',
    access: 'anyone',
    summary:
      'What the host’s serial console said lately, at most 256 KiB, from the beginning of a line on.',
    answer: 'the bytes as they came, `application/octet-stream`',
    answerType: 'application/octet-stream',
    query: schemaNode(noQuery),
    errors: ['SERIAL_NOT_CONFIGURED'],
    streams: false,
    respond: async (request, { services }) => {
      checkQuery(noQuery, request.req.query());
      return request.body(new Uint8Array(services.serial.scrollback()), 200, {
        'content-type': 'application/octet-stream',
      });
    },
  },
];
