import type { Status } from '../api/schema.ts';

/**
 * Where this page is to be had over HTTPS: at the name it was opened by, since the viewer can reach that
 * one. Empty while the device does not speak it.
 */
export function secureAddress(
  https: Status['https'],
  { hostname }: { readonly hostname: string },
): string {
  if (https === null) return '';
  return `https://${hostname}${https.port === 443 ? '' : `:${https.port}`}/`;
}
