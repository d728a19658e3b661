import { useEffect, useRef } from 'preact/hooks';
import type { PictureAreaProps } from '../picture/picture-part.ts';
import { canDecode, figuresText, overlayWords, placeholderWords } from '../picture/picture-text.ts';
import type { PictureSize } from '../preferences.ts';
import { Choice } from './choice.tsx';
import { Icon } from './icon.tsx';

const sizes: readonly { readonly value: PictureSize; readonly text: string }[] = [
  { value: 'fit', text: 'Fit the page' },
  { value: 'actual', text: '1:1, pixel by pixel' },
];

/** The host's picture, what it is, and how large it is shown. */
export function PictureArea({
  element,
  picture,
  status,
  connection,
  size,
  onSize,
}: PictureAreaProps) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    frame.current?.prepend(element);
  }, [element]);
  const placeholder = placeholderWords({
    ...{ connection, status, picture },
    decodes: canDecode(status?.codec),
  });
  const overlay = overlayWords(picture, status);
  return (
    <section class="picture" aria-label="The host’s picture">
      <div class={`picture-frame picture-${size}`} ref={frame}>
        {placeholder !== '' && <p class="picture-words">{placeholder}</p>}
        {overlay !== '' && (
          <p class="picture-overlay" role="status">
            {overlay}
          </p>
        )}
      </div>
      <div class="picture-bar">
        <p class="picture-figures aside">{figuresText(picture.numbers)}</p>
        <Choice label="Size" value={size} options={sizes} onChoose={onSize} />
        <button
          type="button"
          class="button"
          // Refused (an embedded page may not): then it stays as it is.
          onClick={() => void frame.current?.requestFullscreen().catch(() => undefined)}
        >
          <Icon name="full-screen" />
          Full screen
        </button>
      </div>
    </section>
  );
}
