import type { ApiEvents } from './schema.ts';
import type { EventService } from './services.ts';

type Listener = Parameters<EventService['subscribe']>[0];

/** The children that carry the microphone and the picture. */
export const microphoneChild = 'audio-input';
export const videoChild = 'video';

/** The event that carries a child's status: each child has one of its own. */
export function processEvent(
  child: string,
): 'audio-process-metrics' | 'microphone-process-metrics' | 'video-process-metrics' {
  if (child === videoChild) return 'video-process-metrics';
  return child === microphoneChild ? 'microphone-process-metrics' : 'audio-process-metrics';
}

/** Hands each event of the main process to every subscriber, in the order they came. */
export class ServiceEvents implements EventService {
  readonly #listeners = new Set<Listener>();

  emit<N extends keyof ApiEvents>(name: N, data: ApiEvents[N]): void {
    for (const listener of this.#listeners) listener(name, data);
  }

  subscribe(listener: Listener): () => void {
    // A function of its own, so that subscribing twice with the same listener ends twice.
    const own: Listener = (name, data) => listener(name, data);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}
