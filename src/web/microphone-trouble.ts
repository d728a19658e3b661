/** Why a browser gives no microphone. */
export type CaptureTrouble =
  | 'insecure'
  | 'unsupported'
  | 'denied'
  | 'denied-by-system'
  | 'dismissed'
  | 'blocked-by-policy'
  | 'no-device'
  | 'busy'
  | 'unknown';

/** What is wrong and what to do, a sentence or two for each. */
export const troubleTexts: Readonly<Record<CaptureTrouble, string>> = {
  insecure:
    'Browsers give the microphone only to pages opened over HTTPS, and this one was opened over plain HTTP.',
  unsupported:
    'This browser has no way to give a page the microphone. Use a current Chrome, Edge, Firefox or Safari.',
  denied:
    'This browser blocks the microphone for this page. Allow it in the site settings, beside the address, and press the button again.',
  'denied-by-system':
    'Your system does not let this browser use the microphone. Allow it in the system’s privacy settings and press the button again.',
  dismissed:
    'The browser’s question was closed without an answer. Press the button again and choose “Allow”.',
  'blocked-by-policy':
    'The page around this one, or a policy of your organisation, forbids the microphone. Open this page in a tab of its own.',
  'no-device': 'No microphone was found. Plug one in, or turn it on, and press the button again.',
  busy: 'The microphone is there but gives no sound; another program may be using it. Close that program and press the button again.',
  unknown: 'The browser could not open the microphone. Press the button to try again.',
};

/** The browser gave no microphone; the message is for a person. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly trouble: CaptureTrouble;

  constructor(trouble: CaptureTrouble, options?: ErrorOptions) {
    super(troubleTexts[trouble], options);
    this.trouble = trouble;
  }
}

/** What can be said before the browser is asked; undefined where nothing stands in the way. */
export function knownTrouble({
  isSecureContext,
  canCapture,
}: {
  readonly isSecureContext: boolean;
  /** `navigator.mediaDevices.getUserMedia` is there (W3C mediacapture-main §9: in secure contexts only). */
  readonly canCapture: boolean;
}): CaptureTrouble | undefined {
  if (!isSecureContext) return 'insecure';
  return canCapture ? undefined : 'unsupported';
}

/**
 * What a rejection of `getUserMedia` means (W3C mediacapture-main §10.3.1). `permission` is what the
 * Permissions API says of the microphone afterwards: a refusal and a prompt that was closed reject alike.
 */
export function troubleOf(error: unknown, permission: PermissionState | undefined): CaptureTrouble {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  switch (name) {
    case 'NotAllowedError':
      if (/system/i.test(message)) return 'denied-by-system';
      return permission === 'prompt' || /dismissed/i.test(message) ? 'dismissed' : 'denied';
    case 'SecurityError':
      return 'blocked-by-policy';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no-device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'unknown';
  }
}
