import type { PageState } from './page-state.ts';

/** What tab and window say of the page: whether its microphone is open. */
export function presenceOf({ microphone }: Pick<PageState, 'microphone'>): {
  readonly title: string;
  readonly icon: string;
} {
  const { phase, open, muted } = microphone;
  if (phase !== 'on') return { title: 'Earshot', icon: '/favicon.svg' };
  if (open) return { title: '🔴 Live – Earshot', icon: '/favicon-live.svg' };
  return { title: muted ? 'Muted – Earshot' : 'Ready to talk – Earshot', icon: '/favicon.svg' };
}

/** Puts it into the document; cheap enough for each change of the state. */
export function showPresence(state: Pick<PageState, 'microphone'>): void {
  const { title, icon } = presenceOf(state);
  if (document.title !== title) document.title = title;
  const link = document.querySelector('link[rel="icon"]');
  if (link !== null && link.getAttribute('href') !== icon) link.setAttribute('href', icon);
}
