import { EarshotError, isEarshotError } from '../../errors/earshot-error.ts';
import type { IceServer } from '../../media/ice-servers.ts';
import type { BearerToken } from '../bearer-token.ts';
import { errorBody } from '../error-response.ts';
import { checkQuery } from '../query.ts';
import { readBodyText } from '../request-body.ts';
import { noQuery, type Route, type RouteContext, type RouteRequest } from '../route.ts';

/**
 * WHEP (draft-ietf-wish-whep): players that are not the page. The player offers, the answer has every
 * candidate in it, and the session ends with DELETE or when the player stops answering. A PATCH with more
 * candidates is answered with 405, as the draft allows: the player's checks find the device without.
 */

export const whepPath = '/whep';

/** An offer of a browser with every codec it knows is about 7 KiB. */
const offerLimit = 32 * 1024;

export const whepRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: whepPath,
    access: 'anyone',
    summary:
      'WHEP: a player offers to receive the host’s sound and picture; with the bearer token of `whep.token`.',
    answer:
      '201, the SDP answer as `application/sdp`; `Location` is the session, `Link` the ICE servers',
    errors: [
      ...(['API_TOKEN_REFUSED', 'API_TOO_MANY_TRIES', 'API_NOT_FOUND'] as const),
      ...(['API_UNSUPPORTED_MEDIA_TYPE', 'API_BODY_TOO_LARGE', 'API_BODY_INVALID'] as const),
      ...(['MEDIA_OFFER_INVALID', 'MEDIA_NO_OPUS', 'MEDIA_TOO_MANY_VIEWERS'] as const),
    ],
    streams: false,
    respond: (request, context) =>
      whenAllowed(request, context, async () => {
        const { media } = context.services;
        const offer = await readBodyText(request.env.incoming, 'application/sdp', offerLimit);
        const { id, answer } = await media.openWhep(offer);
        for (const link of media.iceServers().flatMap(linksOf)) {
          request.header('link', link, { append: true });
        }
        return request.body(answer, 201, {
          'content-type': 'application/sdp',
          location: `${whepPath}/${id}`,
        });
      }),
  },
  {
    method: 'DELETE',
    path: `${whepPath}/:id`,
    access: 'anyone',
    summary: 'WHEP: ends a player’s session.',
    answer: 'nothing',
    parameters: { id: { summary: 'Of the session, from `Location`.', example: 'w1' } },
    errors: ['API_TOKEN_REFUSED', 'API_TOO_MANY_TRIES', 'API_NOT_FOUND', 'MEDIA_SESSION_UNKNOWN'],
    streams: false,
    respond: (request, context) =>
      whenAllowed(request, context, async () => {
        if (!context.services.media.closeWhep(request.req.param('id') ?? '')) {
          throw new EarshotError(
            'MEDIA_SESSION_UNKNOWN',
            'There is no WHEP session of that id; it has ended, or never was.',
          );
        }
        return request.body(null, 200);
      }),
  },
];

async function whenAllowed(
  request: RouteRequest,
  { whepToken }: RouteContext,
  respond: () => Promise<Response>,
): Promise<Response> {
  checkQuery(noQuery, request.req.query());
  if (whepToken === undefined) {
    throw new EarshotError(
      'API_NOT_FOUND',
      'WHEP is off: no player may connect before whep.token is set in the configuration.',
    );
  }
  try {
    check(request, whepToken);
  } catch (error) {
    if (!isEarshotError(error) || error.code !== 'API_TOKEN_REFUSED') throw error;
    return request.json(errorBody(error), 401, { 'www-authenticate': 'Bearer realm="whep"' });
  }
  return await respond();
}

function check(request: RouteRequest, token: BearerToken): void {
  const { headers, socket } = request.env.incoming;
  token.check(headers.authorization, socket.remoteAddress ?? '');
}

/** `Link` values for a server (draft-ietf-wish-whep §4.6). */
function linksOf({ urls, username, credential }: IceServer): string[] {
  return urls.map((url) => {
    const access = [
      ...(username === undefined ? [] : [`username="${quoted(username)}"`]),
      ...(credential === undefined
        ? []
        : [`credential="${quoted(credential)}"`, 'credential-type="password"']),
    ];
    return [`<${url}>`, 'rel="ice-server"', ...access].join('; ');
  });
}

/** A quoted string (RFC 9110 §5.6.4). */
function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}
