import * as v from 'valibot';

/** Name of an ALSA PCM, e.g. `hw:CARD=UAC1Gadget`. A card's index (`hw:1`) is refused: it changes between boots. */
export const pcmNameSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(256),
  v.regex(/^(?!(plug)?hw:\d)/, 'names the card by its id (hw:CARD=…), not by its index'),
);
