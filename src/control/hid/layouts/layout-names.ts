/** The layouts pasted text can be typed by, as a host calls them. Pure: the page imports it. */
export const layoutNames = ['us', 'uk', 'de', 'fr', 'es', 'it', 'se', 'ch', 'ch-fr', 'jp'] as const;
export type LayoutName = (typeof layoutNames)[number];

/** Each in words. */
export const layoutTitles: Readonly<Record<LayoutName, string>> = {
  us: 'English (US)',
  uk: 'English (UK)',
  de: 'German',
  fr: 'French (AZERTY)',
  es: 'Spanish',
  it: 'Italian',
  se: 'Swedish',
  ch: 'Swiss German',
  'ch-fr': 'Swiss French',
  jp: 'Japanese (JIS)',
};
