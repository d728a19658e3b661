/** The parameters of an `a=fmtp` line, `name=value` apart by semicolons (RFC 8866 §6.15); names in lower case. */
export function readFormat(format = ''): Map<string, string> {
  return new Map(
    format.split(';').map((pair) => {
      const [name = '', value = ''] = pair.trim().split('=');
      return [name.toLowerCase(), value];
    }),
  );
}
